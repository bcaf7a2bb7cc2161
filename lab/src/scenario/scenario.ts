import { durationMs, sizeBytes } from '@tresse/schema';
import { z } from 'zod';

import { callStep } from './call-step.ts';
import { crowdStep } from './crowd-step.ts';
import { eventList, type StepEvent } from './event.ts';
import { flowsStep } from './flows-step.ts';
import { line, type LineSpec } from './line.ts';
import { mixedStep } from './mixed-step.ts';
import { pageStep } from './page-step.ts';
import { pairsStep } from './pairs-step.ts';
import { pingStep } from './ping-step.ts';
import { probeStep } from './probe-step.ts';
import { quicStep } from './quic-step.ts';
import { statusStep } from './status-step.ts';
import { udpStep } from './udp-step.ts';
import { publishedPort, visitStep } from './visit-step.ts';

export type { StepEvent } from './event.ts';
export type { CallStep } from './call-step.ts';
export type { CrowdStep } from './crowd-step.ts';
export type { FlowsStep } from './flows-step.ts';
export type { LineSpec } from './line.ts';
export type { MixedStep } from './mixed-step.ts';
export type { PingStep } from './ping-step.ts';
export type { ProbeStep } from './probe-step.ts';
export type { QuicStep } from './quic-step.ts';
export type { StatusStep } from './status-step.ts';
export type { UdpStep } from './udp-step.ts';

/** What a step has to reach. */
const limits = z.strictObject({
  ofSumMin: z.number().positive().optional(),
  /** Of what the lines offered meanwhile: each its rate alone, and nothing while it was dead. */
  ofOfferedMin: z.number().positive().optional(),
  /** Of every whole second after the second one and before the last. */
  secondsOfSumMin: z.number().positive().optional(),
  ofMptcpMin: z.number().positive().optional(),
  wholeSecondsOfMptcpMax: z.number().positive().optional(),
  firstByteMsMax: z.number().positive().optional(),
  stallMsMax: z.number().positive().optional(),
  /** Lines taken for dead, by either side: where none is cut, each is a mistake. */
  suspicionsMax: z.number().min(0).optional(),
  /** Of the bytes carried. */
  sentTwiceMax: z.number().min(0).optional(),
  carryingAgainMsMax: z.number().positive().optional(),
  rateAfterReturnMin: z.number().positive().optional(),
  /** From the last event to the first of the requests asked meanwhile from which on all are answered; by the relay; directly. */
  answeredMsMax: z.number().positive().optional(),
  viaRelayMsMax: z.number().positive().optional(),
  directMsMax: z.number().positive().optional(),
});

/** What transfers and waits may have. */
const common = {
  /** Shown in the report. */
  name: z.string().optional(),
  events: eventList.default([]),
  /** Meanwhile the LAN host asks for a few bytes, so often, each time by a new connection. */
  askEvery: durationMs.optional(),
  limits: limits.default({}),
};

const transferStep = z.strictObject({
  kind: z.enum(['download', 'upload', 'request']),
  ...common,
  bytes: sizeBytes.transform(Math.round),
  /** Which address of the internet host the client is told: `both` leaves the choice of the family to it, `far` is behind the far wire. */
  to: z.enum(['ipv4', 'ipv6', 'both', 'far']).default('ipv4'),
  /** How it has to end: with all bytes, by a reset, or without a connection. */
  ends: z.enum(['whole', 'reset', 'refused']).default('whole'),
  /** Whose address the server has to see: the relay's (of either family), or some line's. */
  seen: z.enum(['relay', 'direct']).default('relay'),
  /** So often, one after the other: the medians are held against the limits. The short form plays once. */
  times: z.number().int().min(1).max(100).default(1),
  /** What even the worst of them has to keep. */
  worst: limits.default({}),
  /** What the short form changes: other bytes, events and limits, or `skip`. */
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      bytes: sizeBytes.transform(Math.round).optional(),
      events: eventList.optional(),
      limits: limits.optional(),
    })
    .default({}),
});

/** Nothing is carried but what the LAN host asks meanwhile. */
const waitStep = z.strictObject({
  kind: z.literal('wait'),
  ...common,
  time: durationMs,
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      time: durationMs.optional(),
      events: eventList.optional(),
      limits: limits.optional(),
    })
    .default({}),
});

const scenarioShape = z.strictObject({
  title: z.string(),
  /** Not part of the short tests: it shows the same as another scenario, over other lines. */
  onlyInFull: z.literal(true).optional(),
  /** `false`: the lines alone and kernel MPTCP are not measured, and nothing is held against them. */
  compare: z.boolean().default(true),
  lines: z.array(line).min(1).max(8),
  /** The box is an IPv6 router before Tresse is started: it forwards IPv6 already. */
  ipv6Router: z.literal(true).optional(),
  /** The internet host has addresses that are so far from the relay, one way. */
  far: durationMs.optional(),
  /** Ports of the relay that lead to the LAN host. */
  publish: z.array(publishedPort).default([]),
  steps: z
    .array(
      z.discriminatedUnion('kind', [
        transferStep,
        waitStep,
        pingStep,
        mixedStep,
        pairsStep,
        pageStep,
        flowsStep,
        crowdStep,
        udpStep,
        callStep,
        statusStep,
        quicStep,
        probeStep,
        visitStep,
      ]),
    )
    .min(1),
});

type Fault = (path: (string | number)[], message: string) => void;

/** A scenario file. */
export const scenarioSchema = scenarioShape.superRefine((scenario, context) => {
  const fault: Fault = (path, message) => context.addIssue({ code: 'custom', path, message });
  checkLines(scenario.lines, fault);
  for (const [i, s] of scenario.steps.entries()) {
    if ((s.kind === 'page' || ('to' in s && s.to === 'far')) && scenario.far === undefined)
      fault(
        ['steps', i, s.kind === 'page' ? 'kind' : 'to'],
        'there is no far host: the scenario does not say how "far" it is',
      );
    if (!('events' in s)) continue;
    for (const [place, events] of [
      [['events'], s.events],
      [['short', 'events'], s.short.events ?? []],
    ] as const) {
      for (const [k, e] of events.entries())
        checkEvent(scenario.lines, e, (path, message) => fault(['steps', i, ...place, k, ...path], message));
    }
  }
});

function checkLines(lines: readonly LineSpec[], fault: Fault): void {
  for (const [i, { name, nic, mtu }] of lines.entries()) {
    if (lines.findIndex((l) => l.name === name) !== i) fault(['lines', i, 'name'], `"${name}" is used twice`);
    if (nic === undefined) continue;
    const owner = lines.find((l) => l.name === nic);
    if (owner === undefined || owner.nic !== undefined || nic === name)
      fault(['lines', i, 'nic'], `"${nic}" is no other line with an interface of its own`);
    if ((mtu ?? owner?.mtu) !== undefined) fault(['lines', i, 'mtu'], 'lines that share an interface have no "mtu"');
  }
}

function checkEvent(lines: readonly LineSpec[], e: StepEvent, fault: Fault): void {
  if (e.line === undefined) return;
  const known = [...lines.map((l) => l.name), 'biggest', 'first-bytes'];
  if (!known.includes(e.line)) fault(['line'], `no line "${e.line}" (accepted: ${known.join(', ')})`);
  // Which one "biggest" is depends on the step: every line has to be able to.
  const meant = lines.filter((l) => l.name === e.line);
  const able = (has: (l: LineSpec) => boolean): boolean => (meant.length > 0 ? meant : lines).every(has);
  if (e.proxy !== undefined && !able((l) => l.proxy === true)) fault(['line'], 'expected a line with "proxy"');
  if (e.nat === 'forgets' && !able((l) => l.nat !== undefined)) fault(['line'], 'expected a line with "nat"');
  // Nothing translates IPv6 addresses here.
  if (e.nat === 'rebinds' && !able((l) => l.ipv6 !== 'only')) fault(['line'], 'expected a line with IPv4');
}

export type Scenario = z.output<typeof scenarioSchema>;
export type Step = Scenario['steps'][number];
export type WaitStep = z.output<typeof waitStep>;
export type TransferStep = z.output<typeof transferStep>;
export type StepLimits = z.output<typeof limits>;
