import { durationMs, rateBps, shareRatio } from '@tresse/schema';
import { z } from 'zod';

import { impairments } from './line.ts';

/** `restart` ends a daemon in the ordinary way and begins it again, `crash` kills it and begins it again at once, as a service manager would. */
const daemonActs = ['stop', 'start', 'restart', 'crash'] as const;

/** What an event does; exactly one of these. */
const actions = {
  cut: z.enum(['silent', 'carrier']).optional(),
  restore: z.literal(true).optional(),
  change: z
    .strictObject({
      rate: rateBps.optional(),
      ...impairments,
      direction: z.enum(['down', 'up', 'both']).default('both'),
    })
    .optional(),
  /** `dies`: acknowledges everything and forwards nothing. `vanishes`: is not there. `returns`: new, and knows no old connection. */
  proxy: z.enum(['dies', 'vanishes', 'returns']).optional(),
  /** The operator's address translation forgets all connections. */
  nat: z.literal('forgets').optional(),
  /** `vanishes`: runs on, but no packet comes through. */
  relay: z.enum([...daemonActs, 'vanishes', 'returns', 'loses-ipv6', 'regains-ipv6']).optional(),
  box: z.enum(daemonActs).optional(),
};

const ofLines = ['cut', 'restore', 'change', 'proxy', 'nat'] as const;
const ofDaemons = ['relay', 'box'] as const;
const all = [...ofLines, ...ofDaemons];

/** Something that happens during a step. */
export const event = z
  .strictObject({
    /** Since the step's first byte (`2 s`), or when this share of the bytes has arrived (`50 %`). */
    at: z.union([shareRatio.transform((ratio) => ({ ratio })), durationMs.transform((ms) => ({ ms }))]).optional(),
    /** Since the event before. */
    after: durationMs.optional(),
    /** A line's name, `biggest`, or `first-bytes`: the line the stream began on, seen by the emulator's counters. */
    line: z.string().optional(),
    ...actions,
  })
  .refine((e) => (e.at === undefined) !== (e.after === undefined), { error: 'an event has either "at" or "after"' })
  .refine((e) => all.filter((name) => e[name] !== undefined).length === 1, {
    error: `an event does one thing: ${all.map((name) => `"${name}"`).join(', ')}`,
  })
  .refine((e) => (e.line !== undefined) === ofLines.some((name) => e[name] !== undefined), {
    error: `"line" belongs to ${ofLines.map((name) => `"${name}"`).join(', ')}, and to no other event`,
  });

export type StepEvent = z.output<typeof event>;
export type DaemonAct = (typeof daemonActs)[number];
export type RelayAct = NonNullable<StepEvent['relay']>;
