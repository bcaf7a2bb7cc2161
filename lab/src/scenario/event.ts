import { durationMs, rateBps, shareRatio } from '@tresse/schema';
import { z } from 'zod';

import { impairments, mtu } from './line.ts';
import { udpPassage } from './udp-passage.ts';

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
      /** The largest packet that passes from now on. */
      mtuHole: mtu.optional(),
      direction: z.enum(['down', 'up', 'both']).default('both'),
    })
    .optional(),
  /** `dies`: acknowledges everything and forwards nothing. `vanishes`: is not there. `returns`: new, and knows no old connection. */
  proxy: z.enum(['dies', 'vanishes', 'returns']).optional(),
  /** `forgets`: the operator's address translation knows no connection any more. `rebinds`: and everything gets another public address and port. */
  nat: z.enum(['forgets', 'rebinds']).optional(),
  /** What the operator lets through of UDP from now on. */
  udp: udpPassage.optional(),
  /** `vanishes`: runs on, but no packet comes through. */
  relay: z.enum([...daemonActs, 'vanishes', 'returns', 'loses-ipv6', 'regains-ipv6']).optional(),
  box: z.enum(daemonActs).optional(),
};

const ofLines = ['cut', 'restore', 'change', 'proxy', 'nat', 'udp'] as const;
const ofDaemons = ['relay', 'box'] as const;
const all = [...ofLines, ...ofDaemons];

/** Something that happens during a step. */
const event = z
  .strictObject({
    /** Since the step's first byte (`2 s`), or when this share of the bytes has arrived (`50 %`). */
    at: z.union([shareRatio.transform((ratio) => ({ ratio })), durationMs.transform((ms) => ({ ms }))]).optional(),
    /** Since the event before. */
    after: durationMs.optional(),
    /** A line's name, `biggest`, or `first-bytes`: the line the stream began on, seen by the emulator's counters. */
    line: z.string().optional(),
    /** It happens so often, and so long after it happened last. */
    repeat: z.strictObject({ every: durationMs, times: z.number().int().min(2).max(1_000) }).optional(),
    ...actions,
  })
  .refine((e) => (e.at === undefined) !== (e.after === undefined), { error: 'an event has either "at" or "after"' })
  .refine((e) => all.filter((name) => e[name] !== undefined).length === 1, {
    error: `an event does one thing: ${all.map((name) => `"${name}"`).join(', ')}`,
  })
  .refine((e) => (e.line !== undefined) === ofLines.some((name) => e[name] !== undefined), {
    error: `"line" belongs to ${ofLines.map((name) => `"${name}"`).join(', ')}, and to no other event`,
  });

/** What happens during a step, in order; an event that repeats stands there as often as it happens. */
export const eventList: z.ZodType<StepEvent[]> = z.array(event).transform((list) =>
  list.flatMap(({ repeat, ...once }) => {
    if (repeat === undefined) return [once];
    const { at: _at, ...again } = { ...once, after: repeat.every };
    return [once, ...Array.from({ length: repeat.times - 1 }, () => again)];
  }),
);

export type StepEvent = Omit<z.output<typeof event>, 'repeat'>;
export type DaemonAct = (typeof daemonActs)[number];
export type RelayAct = NonNullable<StepEvent['relay']>;
