import { sizeBytes } from '@tresse/schema';
import { z } from 'zod';

const quicLimits = z.strictObject({
  ofSumMin: z.number().positive().optional(),
  /** Of the same directly over the best line, right afterwards. */
  ofDirectMin: z.number().positive().optional(),
  stallMsMax: z.number().positive().optional(),
});

/** One download by HTTP/3, which is QUIC, which is UDP. */
export const quicStep = z.strictObject({
  kind: z.literal('quic'),
  name: z.string().optional(),
  bytes: sizeBytes.transform(Math.round),
  limits: quicLimits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      bytes: sizeBytes.transform(Math.round).optional(),
      limits: quicLimits.optional(),
    })
    .default({}),
});

export type QuicStep = z.output<typeof quicStep>;

/** The step with fewer bytes. */
export function shortQuic(full: QuicStep): QuicStep {
  const { bytes = full.bytes, limits = full.limits } = full.short;
  return { ...full, bytes, limits };
}
