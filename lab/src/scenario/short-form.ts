import { shortCall } from './call-step.ts';
import { shortPage } from './page-step.ts';
import { shortPairs } from './pairs-step.ts';
import { shortPing } from './ping-step.ts';
import { shortQuic } from './quic-step.ts';
import type { CrowdStep, FlowsStep, MixedStep, Scenario, Step, StepLimits } from './scenario.ts';
import { shortUdp } from './udp-step.ts';
import { shortVisit } from './visit-step.ts';

/** The floors of the short form: correctness is judged in full, speed only against gross mistakes. */
const atLeast = { ofSumMin: 0.85, ofOfferedMin: 0.85, secondsOfSumMin: 0.4 } as const;
const atMost = { stallMsMax: 500 } as const;
/** Held as they are: they bound what a person waits for, not what a busy machine carries in a second. */
const asTheyAre = ['firstByteMsMax', 'answeredMsMax', 'viaRelayMsMax', 'directMsMax'] as const;

/** The scenario as `--short` runs it: fewer bytes, and only floors for limits on speed. */
export function shortForm(scenario: Scenario): Scenario {
  const steps = scenario.steps.filter((s) => s.short.skip !== true);
  return { ...scenario, steps: steps.map((s) => shortStep(s)) };
}

function shortStep(full: Step): Step {
  if (full.kind === 'status' || full.kind === 'probe') return full;
  if (full.kind === 'quic') return shortQuic(full);
  if (full.kind === 'ping') return shortPing(full);
  if (full.kind === 'mixed') return shortMixed(full);
  if (full.kind === 'pairs') return shortPairs(full);
  if (full.kind === 'page') return shortPage(full);
  if (full.kind === 'flows') return shortFlows(full);
  if (full.kind === 'crowd') return shortCrowd(full);
  if (full.kind === 'udp') return shortUdp(full);
  if (full.kind === 'call') return shortCall(full);
  if (full.kind === 'visit') return shortVisit(full);
  const common = { events: full.short.events ?? full.events, limits: floorsOf(full.short.limits ?? full.limits) };
  return full.kind === 'wait'
    ? { ...full, ...common, time: full.short.time ?? full.time }
    : { ...full, ...common, bytes: full.short.bytes ?? full.bytes, times: 1, worst: {} };
}

function shortMixed(full: MixedStep): MixedStep {
  const { idle = full.idle, time = full.time, limits = full.limits } = full.short;
  return { ...full, idle, time, limits: { ...limits, ...floorOfSum(limits) } };
}

function shortFlows(full: FlowsStep): FlowsStep {
  const { count = full.count, sizes = full.sizes, limits = full.limits } = full.short;
  return { ...full, count, sizes, limits: { ...limits, ...floorOfSum(limits) } };
}

/** Its limits are the short form's own: what all streams share is much to a few. */
function shortCrowd(full: CrowdStep): CrowdStep {
  const { live = full.live, every = full.every, time = full.time, idle = full.idle } = full.short;
  const { idleTime = full.idleTime, limits = full.limits } = full.short;
  return { ...full, live, every, time, idle, idleTime, limits };
}

function floorOfSum({ ofSumMin }: Pick<StepLimits, 'ofSumMin'>): Pick<StepLimits, 'ofSumMin'> {
  return ofSumMin === undefined ? {} : { ofSumMin: Math.min(ofSumMin, atLeast.ofSumMin) };
}

function floorsOf(wanted: StepLimits): StepLimits {
  const kept: StepLimits = {};
  for (const name of ['ofSumMin', 'ofOfferedMin', 'secondsOfSumMin'] as const) {
    const limit = wanted[name];
    if (limit !== undefined) kept[name] = Math.min(limit, atLeast[name]);
  }
  if (wanted.stallMsMax !== undefined) kept.stallMsMax = Math.max(wanted.stallMsMax, atMost.stallMsMax);
  for (const name of asTheyAre) {
    const limit = wanted[name];
    if (limit !== undefined) kept[name] = limit;
  }
  return kept;
}
