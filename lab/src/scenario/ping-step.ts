import { durationMs, sizeBytes } from '@tresse/schema';
import { z } from 'zod';

import { eventList } from './event.ts';

const pingLimits = z.strictObject({
  /** The longest time in which no echo is answered; without it every one has to be. */
  unansweredMsMax: z.number().positive().optional(),
});

/** Echoes from the LAN host to the internet host: what is not TCP has to get through as well. */
export const pingStep = z.strictObject({
  kind: z.literal('ping'),
  name: z.string().optional(),
  count: z.number().int().min(1).max(1_000),
  to: z.enum(['ipv4', 'ipv6']).default('ipv4'),
  every: durationMs.default(200),
  /** Of the echo's data; what does not fit into a packet goes in fragments. */
  packet: sizeBytes.transform(Math.round).default(56),
  events: eventList.default([]),
  limits: pingLimits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      count: z.number().int().min(1).max(1_000).optional(),
      events: eventList.optional(),
      limits: pingLimits.optional(),
    })
    .default({}),
});

export type PingStep = z.output<typeof pingStep>;

/** The step with fewer echoes. */
export function shortPing(full: PingStep): PingStep {
  const { count = full.count, events = full.events, limits = full.limits } = full.short;
  return { ...full, count, events, limits };
}
