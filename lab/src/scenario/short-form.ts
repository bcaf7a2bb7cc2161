import { shortPage } from './page-step.ts';
import { shortPairs } from './pairs-step.ts';
import type { MixedStep, Scenario, Step, StepLimits } from './scenario.ts';

/** The floors of the short form: correctness is judged in full, speed only against gross mistakes. */
const atLeast = { ofSumMin: 0.85, secondsOfSumMin: 0.4 } as const;
const atMost = { stallMsMax: 500 } as const;
/** Held as they are: they bound what a person waits for, not what a busy machine carries in a second. */
const asTheyAre = ['firstByteMsMax', 'answeredMsMax', 'viaRelayMsMax', 'directMsMax'] as const;

/** The scenario as `--short` runs it: fewer bytes, and only floors for limits on speed. */
export function shortForm(scenario: Scenario): Scenario {
  const steps = scenario.steps.filter((s) => s.short.skip !== true);
  return { ...scenario, steps: steps.map((s) => shortStep(s)) };
}

function shortStep(full: Step): Step {
  if (full.kind === 'ping') return full;
  if (full.kind === 'mixed') return shortMixed(full);
  if (full.kind === 'pairs') return shortPairs(full);
  if (full.kind === 'page') return shortPage(full);
  const common = { events: full.short.events ?? full.events, limits: floorsOf(full.short.limits ?? full.limits) };
  return full.kind === 'wait'
    ? { ...full, ...common, time: full.short.time ?? full.time }
    : { ...full, ...common, bytes: full.short.bytes ?? full.bytes };
}

function shortMixed(full: MixedStep): MixedStep {
  const { idle = full.idle, time = full.time, limits = full.limits } = full.short;
  const { ofSumMin } = limits;
  const floor = ofSumMin === undefined ? {} : { ofSumMin: Math.min(ofSumMin, atLeast.ofSumMin) };
  return { ...full, idle, time, limits: { ...limits, ...floor } };
}

function floorsOf(wanted: StepLimits): StepLimits {
  const kept: StepLimits = {};
  for (const name of ['ofSumMin', 'secondsOfSumMin'] as const) {
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
