import { sizeBytes } from '@tresse/schema';
import { z } from 'zod';

import { farHostCount } from '../network/addresses.ts';
import { floorsOfPairs, pairCount, pairLimits } from './pairs-step.ts';

const size = sizeBytes.transform(Math.round);
const range = z
  .tuple([size, size])
  .refine(([least, most]) => least <= most, { error: 'expected the smaller one first' });

type Range = z.output<typeof range>;

/** Whether so many objects can have this sum. */
function adds(objects: number, [least, most]: Range, total: Range): boolean {
  return objects * most >= total[0] && objects * least <= total[1];
}

/** A web page's objects from several far hosts, by a client process of its own each time: through Tresse and directly over the best line, in pairs. */
export const pageStep = z
  .strictObject({
    kind: z.literal('page'),
    name: z.string().optional(),
    objects: z.number().int().min(1).max(1_000),
    /** Of an object: log-uniform, seeded. */
    bytes: range,
    /** Of all objects: they are drawn anew until their sum is in here. */
    total: range,
    hosts: z.number().int().min(1).max(farHostCount),
    /** Transfers at once. */
    parallel: z.number().int().min(1).max(300),
    /** Pairs. */
    count: pairCount,
    limits: pairLimits.default({}),
    short: z
      .strictObject({
        skip: z.literal(true).optional(),
        count: pairCount.optional(),
        limits: pairLimits.optional(),
      })
      .default({}),
  })
  .refine((step) => adds(step.objects, step.bytes, step.total), {
    path: ['total'],
    error: 'so many objects cannot have this sum',
  });

export type PageStep = z.output<typeof pageStep>;

/** The step with fewer pairs. */
export function shortPage(full: PageStep): PageStep {
  const { count, limits } = full.short;
  return { ...full, count: count ?? full.count, limits: floorsOfPairs(limits ?? full.limits) };
}
