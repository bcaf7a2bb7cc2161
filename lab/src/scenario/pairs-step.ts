import { sizeBytes } from '@tresse/schema';
import { z } from 'zod';

export const pairCount = z.number().int().min(1).max(1_000);
const sizes = z.array(sizeBytes.transform(Math.round)).min(1);

export const pairLimits = z.strictObject({
  medianOfDirectMax: z.number().positive().optional(),
  p95OfDirectMax: z.number().positive().optional(),
});

/** Transfers of these sizes in turn, each by a new connection, through Tresse and directly over the best line, one right after the other. */
export const pairsStep = z.strictObject({
  kind: z.literal('pairs'),
  name: z.string().optional(),
  direction: z.enum(['down', 'up']).default('down'),
  bytes: sizes,
  /** Pairs of each size. */
  count: pairCount,
  to: z.enum(['ipv4', 'far']).default('ipv4'),
  limits: pairLimits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      bytes: sizes.optional(),
      count: pairCount.optional(),
      limits: pairLimits.optional(),
    })
    .default({}),
});

export type PairsStep = z.output<typeof pairsStep>;
export type PairLimits = z.output<typeof pairLimits>;

/** A few pairs are judged by their median, against gross mistakes only: a percentile would be the worst one. */
export function floorsOfPairs({ medianOfDirectMax }: PairLimits): PairLimits {
  return medianOfDirectMax === undefined ? {} : { medianOfDirectMax: Math.max(medianOfDirectMax, 1.5) };
}

/** The step with fewer and smaller pairs. */
export function shortPairs(full: PairsStep): PairsStep {
  const { bytes, count: fewer, limits } = full.short;
  return {
    ...full,
    bytes: bytes ?? full.bytes,
    count: fewer ?? full.count,
    limits: floorsOfPairs(limits ?? full.limits),
  };
}
