import { Prng } from '@tresse/kit';

import { downloadAll, type Flow, type ManyFlows } from '../measure/flows.ts';
import { LineWatch } from '../measure/line-watch.ts';
import { isRelay } from '../network/addresses.ts';
import { classFigures, type FlowsFigures } from '../report/flows-figures.ts';
import { type Check, check, type StepReport, truth } from '../report/report.ts';
import { sizeClasses } from '../scenario/flows-step.ts';
import type { FlowsStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

/** Begins all downloads at once, and judges their sum and their fairness. Rejects only where the lab itself fails. */
export async function playFlows(scene: StepScene, step: FlowsStep, index: number): Promise<PlayedStep> {
  const { stage, show } = scene;
  const label = step.name ?? step.kind;
  const sizes = drawSizes(step, scene.seed);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  show.phase(label);
  const rateBps = stage.lines.reduce((sum, line) => sum + line.down.rateBps, 0);
  const watch = new LineWatch(
    stage.emulator,
    stage.lines.map((line) => line.name),
  );
  await watch.sample();
  const many = await downloadAll(stage.names.lan, stage.server, {
    prefix: `flow-${index}`,
    seed: scene.seed,
    sizes,
    // Flows that take five times what the lines allow have got stuck.
    patienceMs: 20_000 + (5 * total * 8_000) / rateBps,
  });
  await watch.sample();
  const report = { ...reportOf(scene, step, many), shares: watch.shares('down') };
  show.say(`${label}: ${step.count} flows in ${report.seconds.toFixed(2)} s`);
  return { report, checks: flowsChecks(step, many.flows, report, label) };
}

/** The bounds of the size classes, of equal width on a logarithmic scale. */
function boundsOf({ sizes: { min, max } }: FlowsStep): number[] {
  return Array.from({ length: sizeClasses + 1 }, (_, i) => min * (max / min) ** (i / sizeClasses));
}

/** Sizes drawn log-uniformly, as many from every class, in an order of chance. */
export function drawSizes(step: FlowsStep, seed: number): number[] {
  const prng = new Prng(seed);
  const bounds = boundsOf(step);
  return Array.from({ length: step.count }, (_, i) => {
    const of = i % sizeClasses;
    return { bytes: Math.round(prng.logUniform(bounds[of] ?? 1, bounds[of + 1] ?? 1)), place: prng.u32() };
  })
    .toSorted((a, b) => a.place - b.place)
    .map(({ bytes }) => bytes);
}

function reportOf(scene: StepScene, step: FlowsStep, { flows, arrivals }: ManyFlows): StepReport {
  const startMs = Math.min(...flows.map((flow) => flow.beganMs));
  const seconds = ((arrivals.lastMs ?? startMs) - startMs) / 1_000;
  const gap = arrivals.longestGap();
  const { countedFromSecond } = scene;
  const goodput = seconds > countedFromSecond * 1.5 ? arrivals.rateFromBps(startMs + countedFromSecond * 1_000) : null;
  const sumBps = scene.rivals.sum.downBitsPerSecond;
  return {
    ...blankReport('flows', step.name, seconds),
    bytes: arrivals.bytes,
    goodputBitsPerSecond: goodput,
    ofSum: goodput === null || sumBps === 0 ? null : goodput / sumBps,
    firstByteMs: (arrivals.firstMs ?? startMs) - startMs,
    stallMsMax: gap.ms,
    stallAtSeconds: gap.ms === 0 ? 0 : (gap.fromMs - startMs) / 1_000,
    flows: flowsFigures(step, flows),
  };
}

/** What became of the flows, class by class. */
export function flowsFigures(step: FlowsStep, flows: readonly Flow[]): FlowsFigures {
  const bounds = boundsOf(step);
  const classes = bounds.slice(1).map((maxBytes, of) => {
    const inside = flows.filter(({ bytes }) => classOf(step, bytes) === of);
    return classFigures(
      bounds[of] ?? 0,
      maxBytes,
      inside.map((flow) => rateOf(flow)),
    );
  });
  return { flows: flows.length, whole: flows.filter((flow) => flow.wholeMs !== null).length, classes };
}

/** Sizes are whole bytes: one may lie a hair outside of the class it was drawn from. */
function classOf({ sizes: { min, max } }: FlowsStep, bytes: number): number {
  const place = Math.floor((sizeClasses * Math.log(bytes / min)) / Math.log(max / min));
  return Math.min(Math.max(place, 0), sizeClasses - 1);
}

/** From the connect to the last byte; 0 where that never came. */
function rateOf({ bytes, beganMs, wholeMs }: Flow): number {
  return wholeMs === null ? 0 : (bytes * 8_000) / (wholeMs - beganMs);
}

/** Everything the step had to hold. */
export function flowsChecks(
  step: FlowsStep,
  flows: readonly Flow[],
  { ofSum, flows: figures }: StepReport,
  label: string,
): Check[] {
  const { ofSumMin, slowestTenthOfMedianMin } = step.limits;
  const bad = flows.find((flow) => flow.wholeMs === null || flow.requests !== 1 || !isRelay(flow.from));
  const why =
    bad === undefined ? '' : `${bad.id}: ${bad.why || `${bad.requests} requests, seen from ${bad.from || 'nobody'}`}`;
  const starved = Math.min(
    ...(figures?.classes ?? []).map((c) =>
      c.medianBitsPerSecond === 0 ? 0 : c.slowestTenthBitsPerSecond / c.medianBitsPerSecond,
    ),
  );
  return [
    truth(`${label}: all with the right bytes, each by one connection, by the relay`, bad === undefined, why),
    ...(ofSumMin === undefined ? [] : [check(`${label}: share of the sum`, ofSum, 'min', ofSumMin)]),
    ...(slowestTenthOfMedianMin === undefined
      ? []
      : [check(`${label}: slowest tenth of the median of its size class`, starved, 'min', slowestTenthOfMedianMin)]),
  ];
}
