import { durationMs, sizeBytes } from '@tresse/schema';
import { z } from 'zod';

import { eventList } from './event.ts';

const udpLimits = z.strictObject({
  /** Of the packets sent. */
  deliveredMin: z.number().positive().optional(),
  /** Of the packets that came. */
  outOfOrderMax: z.number().min(0).optional(),
  /** Of the packets sent in whole seconds that begin two seconds or more after the beginning, or after the last event. */
  settledMin: z.number().positive().optional(),
});

/** One flow of UDP packets at a steady rate, by iperf3. */
export const udpStep = z
  .strictObject({
    kind: z.literal('udp'),
    name: z.string().optional(),
    direction: z.enum(['down', 'up']).default('down'),
    /** Of UDP payload, of the sum of the lines alone. */
    rateOfSum: z.number().positive().max(2).default(0.95),
    /** UDP payload of each packet. */
    packet: sizeBytes.transform(Math.round).default(1_300),
    time: durationMs,
    events: eventList.default([]),
    limits: udpLimits.default({}),
    short: z
      .strictObject({
        skip: z.literal(true).optional(),
        time: durationMs.optional(),
        events: eventList.optional(),
        limits: udpLimits.optional(),
      })
      .default({}),
  })
  // Every second by itself is told by the receiving end, which is the client's only on the way down.
  .refine(({ direction, limits }) => direction === 'down' || limits.settledMin === undefined, {
    error: '"settledMin" is for the direction "down"',
  });

export type UdpStep = z.output<typeof udpStep>;

/** The step for a shorter while. */
export function shortUdp(full: UdpStep): UdpStep {
  const { time = full.time, events = full.events, limits = full.limits } = full.short;
  return { ...full, time, events, limits };
}
