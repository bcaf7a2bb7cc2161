import { release } from 'node:os';

import { SystemError, UserError, sentenceOf } from '@tresse/kit';

import type { Interruption } from './interruption.ts';
import { Punctuality } from './measure/punctuality.ts';
import type { LabNames } from './network/addresses.ts';
import { inTurn } from './process/in-turn.ts';
import { Product } from './product/product.ts';
import { type EmulatorReport, lateRatioMax, type Report, truth, unpunctualRatioMax } from './report/report.ts';
import type { Show } from './report/show.ts';
import { measureRivals, type RivalFigures } from './rivals/measure-rivals.ts';
import { rivalSettings } from './rivals/rivals.ts';
import { judgesDelays } from './scenario/delay-limits.ts';
import type { NamedScenario } from './scenario/scenario-file.ts';
import type { Scenario } from './scenario/scenario.ts';
import { shortForm } from './scenario/short-form.ts';
import { setStage, type Stage, strikeStage } from './stage.ts';
import { playStep } from './step/play-step.ts';

export interface RunOrder {
  readonly seed: number;
  readonly short: boolean;
  /** Measures the lines quickly, as the short form does. */
  readonly quickRivals?: boolean;
  /** Stops after the lines and kernel MPTCP, without the product. */
  readonly onlyLines: boolean;
  /** Called before the stage is taken down. */
  readonly beforeEnd: () => Promise<void>;
  readonly names: LabNames;
  readonly show: Show;
  readonly interruption: Interruption;
  /** An empty folder for logs, states and files. */
  readonly folder: string;
}

const readyMs = 20_000;
const picturedEveryMs = 250;

/** Whether the lines are measured quickly. */
function quick(order: RunOrder): boolean {
  return order.short || order.quickRivals === true;
}

/** A report being filled in. */
type Draft = { -readonly [K in keyof Report]: Report[K] };

/**
 * One run: stage, rivals, product, steps, and everything taken away again. What goes wrong on the way is in the report, and makes
 * it fail. Throws UserError `INTERRUPTED` after a signal.
 */
export async function runOnce(named: NamedScenario, order: RunOrder): Promise<Report> {
  const scenario = order.short ? shortForm(named.scenario) : named.scenario;
  const draft = emptyReport(named.name, scenario, order);
  order.show.begin(`${named.name}: ${scenario.title}`, scenario.lines);
  try {
    await playOnStage(scenario, order, draft);
  } catch (error) {
    order.interruption.check();
    if (!(error instanceof SystemError || error instanceof UserError)) throw error;
    draft.fault ??= sentenceOf(error);
  } finally {
    order.show.end();
  }
  order.interruption.check();
  draft.verdict = verdictOf(draft);
  return draft;
}

async function playOnStage(scenario: Scenario, order: RunOrder, draft: Draft): Promise<void> {
  const { show } = order;
  show.phase('setting the stage');
  const stage = await setStage({
    names: order.names,
    lines: scenario.lines,
    farMs: scenario.far,
    ipv6Router: scenario.ipv6Router,
    seed: order.seed,
    folder: order.folder,
    // Without lines everything else fails too: this is why.
    onFault: (stack) => (draft.fault = stack),
  });
  const timer = setInterval(() => void showRates(stage, show), picturedEveryMs);
  try {
    draft.rivals = { ...draft.rivals, congestionControl: stage.internet.congestion.name };
    order.interruption.check();
    await play(scenario, order, stage, draft);
    await order.beforeEnd();
  } finally {
    clearInterval(timer);
    draft.emulator = { ...draft.emulator, ...(await emulatorReport(stage).catch(() => ({}))) };
    await strikeStage(stage);
  }
}

function verdictOf(draft: Draft): Report['verdict'] {
  const good = draft.fault === undefined && draft.checks.every((c) => c.ok);
  // A slow machine makes floors harder to keep, not easier: a short run that kept them all says what it is asked.
  if (good && draft.short) return 'pass';
  if (draft.emulator.lateRatio > lateRatioMax) return 'void';
  if ((draft.emulator.unpunctualRatio ?? 0) > unpunctualRatioMax) return 'void';
  return good ? 'pass' : 'fail';
}

async function play(scenario: Scenario, order: RunOrder, stage: Stage, draft: Draft): Promise<void> {
  const { show, interruption } = order;
  const rivals = await rivalsOf(scenario, order, stage, draft);
  Object.assign(draft, rivals);
  if (order.onlyLines) return;
  show.phase('starting box and relay');
  const product = await Product.start(order.names, stage.lines, order.folder, scenario.publish);
  const { steps, checks } = draft;
  try {
    await inTurn(scenario.steps, async (step, index) => {
      interruption.check();
      await product.ready(readyMs);
      const punctuality = judgesDelays(step) ? await Punctuality.begin(stage.emulator) : undefined;
      const played = await playStep(
        {
          stage,
          product,
          show,
          rivals,
          countedFromSecond: draft.rivals.countedFromSecond,
          seed: order.seed,
          interruption,
        },
        step,
        index,
      );
      interruption.check();
      if (punctuality !== undefined) {
        const unpunctualRatio = Math.max(draft.emulator.unpunctualRatio ?? 0, await punctuality.ratio());
        draft.emulator = { ...draft.emulator, unpunctualRatio };
      }
      steps.push(played.report);
      checks.push(...played.checks);
    });
  } finally {
    show.phase('stopping box and relay');
    const faults = await product.stop();
    checks.push(
      truth('box and relay ended and left nothing behind', faults.length === 0, faults.slice(0, 8).join('; ')),
    );
  }
}

/** What steps are held against; nothing where the scenario wants no comparison. */
async function rivalsOf(scenario: Scenario, order: RunOrder, stage: Stage, draft: Draft): Promise<RivalFigures> {
  const { show, interruption } = order;
  const { singles, sum, mptcp } = draft;
  if (!scenario.compare) return { singles, sum, mptcp, mptcpNote: 'not measured: this scenario is not about rates' };
  return await measureRivals(stage, draft.rivals, {
    together: quick(order),
    steps: scenario.steps,
    show,
    interruption,
  });
}

async function showRates(stage: Stage, show: Show): Promise<void> {
  const counters = await stage.emulator.counters().catch(() => []);
  const bytes = counters.map((c) => ({ down: c.down.deliveredBytes, up: c.up.deliveredBytes }));
  if (bytes.length > 0) show.carried(performance.now(), bytes);
}

async function emulatorReport(stage: Stage): Promise<Omit<EmulatorReport, 'unpunctualRatio'>> {
  const [counters, drops] = await Promise.all([stage.emulator.counters(), stage.emulator.unreadDrops()]);
  const directions = counters.flatMap((c) => [c.down, c.up]);
  const packets = directions.reduce((sum, d) => sum + d.deliveredPackets, 0);
  const late = directions.reduce((sum, d) => sum + d.latePackets, 0);
  return {
    packets,
    lateRatio: packets === 0 ? 0 : late / packets,
    latenessMsMax: Math.max(...directions.map((d) => d.latenessMsMax)),
    unreadDrops: drops.reduce((sum, d) => sum + d.down + d.up, 0),
  };
}

function emptyReport(name: string, scenario: Scenario, order: RunOrder): Draft {
  return {
    scenario: name,
    title: scenario.title,
    seed: order.seed,
    short: order.short,
    kernel: release(),
    rivals: rivalSettings(quick(order)),
    lines: scenario.lines,
    singles: [],
    sum: { downBitsPerSecond: 0, upBitsPerSecond: 0 },
    mptcp: null,
    mptcpNote: 'not measured',
    steps: [],
    checks: [],
    emulator: { packets: 0, lateRatio: 0, unpunctualRatio: null, latenessMsMax: 0, unreadDrops: 0 },
    verdict: 'fail',
    voids: 0,
  };
}
