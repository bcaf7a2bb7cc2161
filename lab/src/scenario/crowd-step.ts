import { durationMs, sizeBytes } from '@tresse/schema';
import { z } from 'zod';

/** More would leave too few local ports on the way. */
const streamsMax = 20_000;
const streams = z.number().int().min(1).max(streamsMax);

const limits = z.strictObject({
  /** For every live stream, over the base without streams: resident memory of box and relay together, and the kernel's for their sockets. */
  residentBytesMax: sizeBytes.optional(),
  kernelBytesMax: sizeBytes.optional(),
  /** Every exchange of a live stream. */
  answeredMsMax: z.number().positive().optional(),
  /** Processor time of box and relay for all idle streams together, in cores, over the base. */
  idleCoresMax: z.number().positive().optional(),
});

/** What the short form may change. */
const extent = { live: streams, every: durationMs, time: durationMs, idle: streams, idleTime: durationMs };

/** Many streams at once: first such as live, then such as are only open. */
export const crowdStep = z.strictObject({
  kind: z.literal('crowd'),
  name: z.string().optional(),
  /** Of an exchange: so many there, and the same back. */
  bytes: sizeBytes.transform(Math.round),
  ...extent,
  limits: limits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      ...z.strictObject(extent).partial().shape,
      limits: limits.optional(),
    })
    .default({}),
});

export type CrowdStep = z.output<typeof crowdStep>;
