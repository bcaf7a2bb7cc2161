import { durationMs, sizeBytes } from '@tresse/schema';
import { z } from 'zod';

import { eventList } from './event.ts';

const callLimits = z.strictObject({
  /** Of each direction, over the median of the idle lines: what 99 % of the packets wait longer. */
  addedMsP99Max: z.number().positive().optional(),
  jitterMsMax: z.number().positive().optional(),
  lostMax: z.number().min(0).optional(),
  /** Longest time without a packet. */
  gapMsMax: z.number().positive().optional(),
  /** Of every transfer beside it: share of the sum of the lines alone, and longest time without a byte. */
  besideOfSumMin: z.number().positive().optional(),
  besideStallMsMax: z.number().positive().optional(),
  /** Handshakes made meanwhile. */
  handshakesMax: z.number().min(0).optional(),
});

/** A call: small packets both ways at a steady pace, first on idle lines, then beside what fills them, or while lines come and go. */
export const callStep = z.strictObject({
  kind: z.literal('call'),
  name: z.string().optional(),
  every: durationMs.default(20),
  packet: sizeBytes.transform(Math.round).default(172),
  idle: durationMs,
  time: durationMs,
  /** What fills the lines meanwhile. */
  beside: z.array(z.enum(['download', 'upload', 'udp'])).default([]),
  events: eventList.default([]),
  /** The second call begins so long after the events' time has begun. */
  settle: durationMs.default(0),
  limits: callLimits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      idle: durationMs.optional(),
      time: durationMs.optional(),
      settle: durationMs.optional(),
      events: eventList.optional(),
      limits: callLimits.optional(),
    })
    .default({}),
});

export type CallStep = z.output<typeof callStep>;

/** The step for a shorter while. */
export function shortCall(full: CallStep): CallStep {
  const { idle = full.idle, time = full.time, settle = full.settle } = full.short;
  const { events = full.events, limits = full.limits } = full.short;
  return { ...full, idle, time, settle, events, limits };
}
