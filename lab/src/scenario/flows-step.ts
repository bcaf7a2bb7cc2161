import { sizeBytes } from '@tresse/schema';
import { z } from 'zod';

/** Size classes of a step's flows: as many logarithmic bins of their sizes. */
export const sizeClasses = 4;
/** A class with fewer has no slowest tenth to speak of. */
const perClassMin = 20;

const limits = z.strictObject({
  ofSumMin: z.number().positive().optional(),
  /** Of every size class: the rate of its slowest tenth, of its median rate. */
  slowestTenthOfMedianMin: z.number().positive().optional(),
});

const count = z
  .number()
  .int()
  .min(sizeClasses * perClassMin)
  .max(2_000)
  .multipleOf(sizeClasses);

/** Sizes are drawn log-uniformly in between. */
const sizes = z
  .strictObject({ min: sizeBytes.transform(Math.round), max: sizeBytes.transform(Math.round) })
  .refine(({ min, max }) => min > 0 && max > min, { error: 'expected a "max" that is larger than "min"' });

/** Many downloads that begin at once, each by a connection of its own. */
export const flowsStep = z.strictObject({
  kind: z.literal('flows'),
  name: z.string().optional(),
  count,
  sizes,
  limits: limits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      count: count.optional(),
      sizes: sizes.optional(),
      limits: limits.optional(),
    })
    .default({}),
});

export type FlowsStep = z.output<typeof flowsStep>;
