import { z } from 'zod';

/** A quantity is a number with its unit, `100 Mbit/s`; this maps each accepted unit to its factor. */
function quantity(units: Readonly<Record<string, number>>, example: string): z.ZodType<number> {
  const accepted = Object.keys(units).join(', ');
  return z
    .string({ error: `write a number and its unit, as in "${example}" (accepted: ${accepted})` })
    .transform((text, context): number => {
      const match = /^(?<number>\d+(?:\.\d+)?) ?(?<unit>\S+)$/u.exec(text);
      const factor = Object.entries(units).find(([unit]) => unit === match?.groups?.['unit'])?.[1];
      if (factor === undefined) {
        context.addIssue({
          code: 'custom',
          message: `"${text}" is not a number and its unit, as in "${example}" (accepted: ${accepted})`,
        });
        return z.NEVER;
      }
      return Number(match?.groups?.['number']) * factor;
    });
}

/** A rate as `100 Mbit/s`; read as bits per second. */
export const rateBps: z.ZodType<number> = quantity(
  { 'bit/s': 1, 'kbit/s': 1e3, 'Mbit/s': 1e6, 'Gbit/s': 1e9 },
  '100 Mbit/s',
);

/** A time as `15 ms`; read as milliseconds. */
export const durationMs: z.ZodType<number> = quantity({ ms: 1, s: 1e3, min: 60e3, h: 3600e3 }, '15 ms');

/** A size as `64 MiB` or `200 MB`; read as octets. */
export const sizeBytes: z.ZodType<number> = quantity(
  { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 },
  '64 MiB',
);

/** A share as `1 %`; read as a ratio of 0 to 1. */
export const shareRatio: z.ZodType<number> = quantity({ '%': 0.01 }, '1 %').refine((ratio) => ratio <= 1, {
  error: 'a share is at most 100 %',
});
