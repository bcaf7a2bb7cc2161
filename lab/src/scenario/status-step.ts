import { durationMs } from '@tresse/schema';
import { z } from 'zod';

const pattern = z.string().refine(
  (text) => {
    try {
      return Boolean(new RegExp(text, 'mu'));
    } catch {
      return false;
    }
  },
  { error: 'expected a regular expression' },
);

/** What a person has to be told: `tresse status` of a daemon is asked again and again until it says so. */
export const statusStep = z.strictObject({
  kind: z.literal('status'),
  name: z.string().optional(),
  of: z.enum(['box', 'relay']).default('box'),
  /** Regular expressions, each of which some line has to match, or none may. */
  says: z.array(pattern).default([]),
  saysNot: z.array(pattern).default([]),
  within: durationMs.default(2_000),
  short: z.strictObject({ skip: z.literal(true).optional() }).default({}),
});

export type StatusStep = z.output<typeof statusStep>;
