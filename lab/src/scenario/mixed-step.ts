import { durationMs, sizeBytes } from '@tresse/schema';
import { z } from 'zod';

const limits = z.strictObject({
  /** Both bulk transfers, each held against the lines alone in its direction. */
  ofSumMin: z.number().positive().optional(),
  /** First byte of the requests beside the bulk: their median, and their 95th percentile, over the median of those on idle lines. */
  firstByteOverIdleMsMax: z.number().positive().optional(),
  firstByteP95OverIdleMsMax: z.number().positive().optional(),
  /** Lines taken for dead beside the bulk, by either side. */
  suspicionsMax: z.number().min(0).optional(),
});

/** Short requests, each by a new connection: first on idle lines, then beside one bulk transfer each way. */
export const mixedStep = z.strictObject({
  kind: z.literal('mixed'),
  name: z.string().optional(),
  /** Of each request. */
  bytes: sizeBytes.transform(Math.round),
  every: durationMs,
  /** How long they are asked on idle lines, and how long beside the bulk. */
  idle: durationMs,
  time: durationMs,
  limits: limits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      idle: durationMs.optional(),
      time: durationMs.optional(),
      limits: limits.optional(),
    })
    .default({}),
});

export type MixedStep = z.output<typeof mixedStep>;
