import type { Arrivals } from '../measure/arrivals.ts';
import { whole } from '../measure/extent.ts';
import { type LineSample, type LineWatch, bestRateBps, carryingAgainMs } from '../measure/line-watch.ts';
import { beginTransfer, type Transfer } from '../measure/transfer.ts';
import type { Product } from '../product/product.ts';
import { countedSince } from '../product/session-counts.ts';
import type { StepReport } from '../report/report.ts';
import type { MultipathFigures } from '../rivals/multipath-rival.ts';
import type { Single } from '../rivals/singles.ts';
import type { TransferStep } from '../scenario/scenario.ts';
import type { Stage } from '../stage.ts';
import { daemonFigures } from './daemon-figures.ts';
import { Meanwhile } from './meanwhile.ts';
import { offeredBps } from './offered.ts';
import type { DoneEvent } from './step-events.ts';

/** How long after its return a line may take to be judged. */
const returnedWithinMs = 2_000;

/** What a step's figures are held against. */
export interface Yardstick {
  readonly singles: readonly Single[];
  readonly mptcp: { down?: MultipathFigures; up?: MultipathFigures } | null;
  readonly countedFromSecond: number;
}

/** What was seen of a step: the figures for the report, and the transfer for the truths. */
export interface StepOutcome {
  readonly report: StepReport;
  readonly transfer: Transfer;
}

export interface StepHooks {
  readonly onEvent: (event: DoneEvent) => void;
  readonly onBytes: (bytes: number) => void;
}

/** Runs one step through the product: the transfer, and what happens meanwhile. `id` is unique in the run. */
export async function runStep(
  { stage, product }: { stage: Stage; product: Product },
  step: TransferStep,
  id: string,
  yardstick: Yardstick,
  hooks: StepHooks,
): Promise<StepOutcome> {
  const kind = step.kind === 'upload' ? 'upload' : 'download';
  const before = await product.counts();
  const meanwhile = await Meanwhile.begin(stage, product, {
    id,
    events: step.events,
    direction: directionOf(step),
    bytes: step.bytes,
    askEveryMs: step.askEvery,
    limits: step.limits,
    onEvent: hooks.onEvent,
  });
  const underWay = beginTransfer({
    ...whole(stage, kind, step.bytes),
    kind,
    id: `step-${id}`,
    netns: stage.names.lan,
    server: stage.server,
    to: step.to,
    content: stage.content,
    onBytes: (bytes, firstMs) => {
      meanwhile.events.progress(bytes, firstMs);
      hooks.onBytes(bytes);
    },
  });
  const timer = setTimeout(() => underWay.stop(), patienceMs(stage, step));
  const transfer = await underWay.outcome;
  clearTimeout(timer);
  const asked = await meanwhile.end();
  const report = {
    ...reportOf(step, transfer, meanwhile.watch, meanwhile.events.done, yardstick),
    daemons: daemonFigures(countedSince(before, await product.counts()), transfer.arrivals.bytes),
  };
  return { report: asked === undefined ? report : { ...report, asked }, transfer };
}

function directionOf(step: TransferStep): 'down' | 'up' {
  return step.kind === 'upload' ? 'up' : 'down';
}

/** A transfer that takes five times what the lines allow has got stuck. */
function patienceMs(stage: Stage, step: TransferStep): number {
  const direction = directionOf(step);
  const rateBps = stage.lines.reduce((sum, line) => sum + line[direction].rateBps, 0);
  return 20_000 + (5 * step.bytes * 8_000) / rateBps;
}

function reportOf(
  step: TransferStep,
  transfer: Transfer,
  watch: LineWatch,
  done: readonly DoneEvent[],
  yardstick: Yardstick,
): StepReport {
  const direction = directionOf(step);
  const { arrivals, startMs } = transfer;
  const goodput = arrivals.rateFromBps(startMs + yardstick.countedFromSecond * 1_000);
  const sumBps = yardstick.singles.reduce((sum, s) => sum + s[`${direction}BitsPerSecond`], 0);
  const span = { fromMs: startMs + yardstick.countedFromSecond * 1_000, toMs: arrivals.lastMs ?? startMs };
  const offered = offeredBps(yardstick.singles, done, direction, span);
  const rival = yardstick.mptcp?.[direction];
  const seconds = ((arrivals.lastMs ?? startMs) - startMs) / 1_000;
  const gap = arrivals.longestGap();
  // Too short to reach a steady state within what is counted.
  const counted = goodput > 0 && seconds > yardstick.countedFromSecond * 1.5;
  const slowestBps = counted ? arrivals.slowestSecondBps(startMs + 2_000) : undefined;
  const sameBytes = rival?.seconds && rival.bytes === step.bytes ? rival.seconds : undefined;
  return {
    kind: step.kind,
    name: step.name ?? step.kind,
    bytes: arrivals.bytes,
    seconds,
    goodputBitsPerSecond: counted ? goodput : null,
    ofSum: counted && sumBps > 0 ? goodput / sumBps : null,
    ...(done.some((event) => event.effect === 'returned')
      ? { ofOffered: counted && offered > 0 ? goodput / offered : null }
      : {}),
    ofMptcp: counted && rival ? goodput / rival.goodputBitsPerSecond : null,
    slowestSecondOfSum: slowestBps === undefined || sumBps === 0 ? null : slowestBps / sumBps,
    wholeSecondsOfMptcp: sameBytes === undefined ? null : seconds / sameBytes,
    firstByteMs: (arrivals.firstMs ?? startMs) - startMs,
    stallMsMax: gap.ms,
    stallAtSeconds: gap.ms === 0 ? 0 : (gap.fromMs - startMs) / 1_000,
    shares: watch.shares(direction),
    events: done.map((event) => ({ atSeconds: (event.atMs - startMs) / 1_000, text: event.text })),
    phases: phasesOf(
      arrivals,
      [startMs + yardstick.countedFromSecond * 1_000, ...done.map((event) => event.atMs), arrivals.lastMs ?? startMs],
      startMs,
    ),
    returns: done
      .filter((event) => event.effect === 'returned')
      .map((event) => returnOf(watch.samples, direction, watch.indexOf(event.line), event, yardstick.singles)),
    sha256: transfer.sha256,
  };
}

/** The rates between moments that follow each other. */
function phasesOf(arrivals: Arrivals, moments: readonly number[], startMs: number): StepReport['phases'] {
  return moments.slice(1).flatMap((toMs, i) => {
    const fromMs = moments[i] ?? toMs;
    if (toMs <= fromMs) return [];
    const bitsPerSecond = ((arrivals.bytesAt(toMs) - arrivals.bytesAt(fromMs)) * 8_000) / (toMs - fromMs);
    return [{ fromSeconds: (fromMs - startMs) / 1_000, toSeconds: (toMs - startMs) / 1_000, bitsPerSecond }];
  });
}

function returnOf(
  samples: readonly LineSample[],
  direction: 'down' | 'up',
  line: number,
  event: DoneEvent,
  singles: readonly Single[],
): StepReport['returns'][number] {
  const single = singles[line]?.[`${direction}LineBitsPerSecond`] ?? 0;
  const best = bestRateBps(samples, direction, line, { sinceMs: event.atMs, withinMs: returnedWithinMs });
  return {
    uplink: event.line,
    carryingAgainMs: carryingAgainMs(samples, direction, line, event.atMs) ?? null,
    rateOfSingle: single > 0 ? best / single : 0,
  };
}
