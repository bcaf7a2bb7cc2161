import { durationMs, rateBps, shareRatio, sizeBytes, uplinkKinds } from '@tresse/schema';
import { type DirectionSpec, plainDirection } from '@tresse/sim';
import { z } from 'zod';

const impairments = {
  delay: durationMs.optional(),
  jitter: durationMs.optional(),
  loss: shareRatio.optional(),
  queue: durationMs.optional(),
};

const direction = z.union(
  [rateBps.transform((rate) => ({ rate })), z.strictObject({ rate: rateBps, ...impairments })],
  {
    error: 'expected a rate like "8 Mbit/s", or {rate, delay, jitter, loss, queue}',
  },
);

const line = z
  .strictObject({
    /** Becomes the name of the interface in the box. */
    name: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,11}$/u, 'a line is named by at most 12 small letters and digits, a letter first'),
    kind: z.enum(uplinkKinds),
    /** These four hold for both directions; a direction may have its own. */
    ...impairments,
    down: direction,
    up: direction,
  })
  .transform((given) => {
    const spec = (own: z.output<typeof direction>): DirectionSpec => ({
      rateBps: own.rate,
      delayMs: ('delay' in own ? own.delay : undefined) ?? given.delay ?? 0,
      jitterMs: ('jitter' in own ? own.jitter : undefined) ?? given.jitter ?? plainDirection.jitterMs,
      lossRatio: ('loss' in own ? own.loss : undefined) ?? given.loss ?? plainDirection.lossRatio,
      queueMs: ('queue' in own ? own.queue : undefined) ?? given.queue ?? plainDirection.queueMs,
    });
    return { name: given.name, kind: given.kind, down: spec(given.down), up: spec(given.up) } satisfies LineSpec;
  });

/** One emulated line, in the units of the link model. */
export interface LineSpec {
  readonly name: string;
  readonly kind: string;
  readonly down: DirectionSpec;
  readonly up: DirectionSpec;
}

const change = z.strictObject({
  rate: rateBps.optional(),
  ...impairments,
  direction: z.enum(['down', 'up', 'both']).default('both'),
});

const event = z
  .strictObject({
    /** Since the step's first byte (`2 s`), or when this share of the bytes has arrived (`50 %`). */
    at: z.union([shareRatio.transform((ratio) => ({ ratio })), durationMs.transform((ms) => ({ ms }))]).optional(),
    /** Since the event before. */
    after: durationMs.optional(),
    /** A line's name, `biggest`, or `first-bytes`: the line the stream began on, seen by the emulator's counters. */
    line: z.string(),
    cut: z.enum(['silent', 'carrier']).optional(),
    restore: z.literal(true).optional(),
    change: change.optional(),
  })
  .refine((e) => (e.at === undefined) !== (e.after === undefined), { error: 'an event has either "at" or "after"' })
  .refine((e) => [e.cut, e.restore, e.change].filter((action) => action !== undefined).length === 1, {
    error: 'an event does one thing: "cut", "restore" or "change"',
  });

/** What a transfer has to reach. Every one is also checked for its bytes, their checksum, one connection and the relay's address. */
const limits = z.strictObject({
  ofSumMin: z.number().positive().optional(),
  /** Of every whole second after the second one and before the last. */
  secondsOfSumMin: z.number().positive().optional(),
  ofMptcpMin: z.number().positive().optional(),
  wholeSecondsOfMptcpMax: z.number().positive().optional(),
  stallMsMax: z.number().positive().optional(),
  carryingAgainMsMax: z.number().positive().optional(),
  rateAfterReturnMin: z.number().positive().optional(),
});

const transferStep = z.strictObject({
  kind: z.enum(['download', 'upload', 'request']),
  /** Shown in the report. */
  name: z.string().optional(),
  bytes: sizeBytes.transform(Math.round),
  events: z.array(event).default([]),
  limits: limits.default({}),
  /** What the short form changes: other bytes, events and limits, or `skip`. */
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      bytes: sizeBytes.transform(Math.round).optional(),
      events: z.array(event).optional(),
      limits: limits.optional(),
    })
    .default({}),
});

/** Echoes from the LAN host to the internet host: what is not TCP has to get through as well. */
const pingStep = z.strictObject({
  kind: z.literal('ping'),
  name: z.string().optional(),
  count: z.number().int().min(1).max(1_000),
  short: z.strictObject({ skip: z.literal(true).optional() }).default({}),
});

/** A scenario file. */
export const scenarioSchema = z
  .strictObject({
    title: z.string(),
    lines: z.array(line).min(1).max(8),
    steps: z.array(z.discriminatedUnion('kind', [transferStep, pingStep])).min(1),
  })
  .superRefine((scenario, context) => {
    const names = scenario.lines.map((l) => l.name);
    const known = [...names, 'biggest', 'first-bytes'];
    for (const [i, name] of names.entries()) {
      if (names.indexOf(name) !== i)
        context.addIssue({ code: 'custom', path: ['lines', i, 'name'], message: `"${name}" is used twice` });
    }
    for (const [i, s] of scenario.steps.entries()) {
      if (s.kind === 'ping') continue;
      for (const [place, events] of [
        [['events'], s.events],
        [['short', 'events'], s.short.events ?? []],
      ] as const) {
        for (const [k, e] of events.entries()) {
          if (known.includes(e.line)) continue;
          const path = ['steps', i, ...place, k, 'line'];
          context.addIssue({ code: 'custom', path, message: `no line "${e.line}" (accepted: ${known.join(', ')})` });
        }
      }
    }
  });

export type Scenario = z.output<typeof scenarioSchema>;
export type Step = Scenario['steps'][number];
export type PingStep = z.output<typeof pingStep>;
export type TransferStep = z.output<typeof transferStep>;
export type StepEvent = TransferStep['events'][number];
type StepLimits = TransferStep['limits'];

/** The floors of the short form: correctness is judged in full, speed only against gross mistakes. */
const floors = { ofSumMin: 0.85, secondsOfSumMin: 0.4, stallMsMax: 500 };

/** The scenario as `--short` runs it: fewer bytes, and only floors for limits. */
export function shortForm(scenario: Scenario): Scenario {
  const steps = scenario.steps.filter((s) => s.short.skip !== true);
  return { ...scenario, steps: steps.map((s) => shortStep(s)) };
}

function shortStep(full: Step): Step {
  if (full.kind === 'ping') return full;
  const wanted = full.short.limits ?? full.limits;
  const kept: StepLimits = {};
  for (const name of ['ofSumMin', 'secondsOfSumMin'] as const) {
    const limit = wanted[name];
    if (limit !== undefined) kept[name] = Math.min(limit, floors[name]);
  }
  if (wanted.stallMsMax !== undefined) kept.stallMsMax = Math.max(wanted.stallMsMax, floors.stallMsMax);
  return { ...full, bytes: full.short.bytes ?? full.bytes, events: full.short.events ?? full.events, limits: kept };
}
