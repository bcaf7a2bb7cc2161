import { monotonicMs } from '@tresse/sys';

import type { Interruption } from '../interruption.ts';
import { inTurn, pause } from '../process/in-turn.ts';
import type { Product } from '../product/product.ts';
import type { Check, StepReport } from '../report/report.ts';
import type { Show } from '../report/show.ts';
import type { RivalFigures } from '../rivals/measure-rivals.ts';
import type { Step, TransferStep, WaitStep } from '../scenario/scenario.ts';
import type { Stage } from '../stage.ts';
import { blankReport } from './blank-report.ts';
import { playCall } from './call.ts';
import { playCrowd } from './crowd.ts';
import { showEvent } from './events-shown.ts';
import { playFlows } from './flows.ts';
import { Meanwhile } from './meanwhile.ts';
import { playMixed } from './mixed.ts';
import { playPage } from './page.ts';
import { playPairs } from './pairs.ts';
import { playPing } from './ping.ts';
import { playProbe } from './probe.ts';
import { playQuic } from './quic.ts';
import { asOne, type Play } from './repeated.ts';
import { playStatus } from './status.ts';
import { limitChecks, stepChecks, waitChecks, withoutRival } from './step-checks.ts';
import { runStep } from './step.ts';
import { playUdp } from './udp.ts';
import { playVisit } from './visit.ts';

/** What steps are played on and shown on. */
export interface StepScene {
  readonly stage: Stage;
  readonly product: Product;
  readonly show: Show;
  readonly rivals: RivalFigures;
  readonly interruption: Interruption;
  readonly countedFromSecond: number;
  /** Of the run. */
  readonly seed: number;
}

/** A step's figures and what it was judged by. */
export interface PlayedStep {
  readonly report: StepReport;
  readonly checks: readonly Check[];
}

/** Between two plays of a step: every line must be up again. */
const readyAgainMs = 20_000;

/** Plays one step, of whatever kind, and judges it. Rejects only where the lab itself fails. */
export async function playStep(scene: StepScene, step: Step, index: number): Promise<PlayedStep> {
  if (step.kind === 'ping') return await playPing(scene, step, index);
  if (step.kind === 'mixed') return await playMixed(scene, step, index);
  if (step.kind === 'pairs') return await playPairs(scene, step, index);
  if (step.kind === 'page') return await playPage(scene, step, index);
  if (step.kind === 'flows') return await playFlows(scene, step, index);
  if (step.kind === 'crowd') return await playCrowd(scene, step);
  if (step.kind === 'call') return await playCall(scene, step, index);
  if (step.kind === 'udp') return await playUdp(scene, step, index);
  if (step.kind === 'probe') return await playProbe(scene, step);
  if (step.kind === 'quic') return await playQuic(scene, step, index);
  if (step.kind === 'status') return await playStatus(scene, step);
  if (step.kind === 'visit') return await playVisit(scene, step, index);
  return step.kind === 'wait' ? await playWait(scene, step, index) : await playTransfers(scene, step, index);
}

async function playWait({ stage, product, show }: StepScene, step: WaitStep, index: number): Promise<PlayedStep> {
  const label = step.name ?? step.kind;
  show.phase(label);
  const beganMs = monotonicMs();
  const meanwhile = await Meanwhile.begin(stage, product, {
    id: String(index),
    events: step.events,
    direction: 'down',
    bytes: 0,
    askEveryMs: step.askEvery,
    limits: step.limits,
    onEvent: (event) => showEvent(show, event),
  });
  meanwhile.events.progress(0, monotonicMs());
  await pause(step.time);
  const asked = await meanwhile.end();
  const { done } = meanwhile.events;
  const report = {
    ...blankReport('wait', step.name, (monotonicMs() - beganMs) / 1_000),
    events: done.map(({ atSeconds, text }) => ({ atSeconds, text })),
    ...(asked === undefined ? {} : { asked }),
  };
  if (asked !== undefined) show.say(`${label}: ${asked.answered} of ${asked.asked} requests answered`);
  return { report, checks: waitChecks(step, report, label) };
}

/** The transfer, as often as it has to be made. */
async function playTransfers(scene: StepScene, step: TransferStep, index: number): Promise<PlayedStep> {
  const numbers = Array.from({ length: step.times }, (_, i) => i);
  const plays = await inTurn(numbers, async (i) => {
    scene.interruption.check();
    if (i > 0) await scene.product.ready(readyAgainMs);
    return await playTransfer(scene, step, `${index}-${i}`);
  });
  const [first] = plays;
  return first !== undefined && plays.length === 1 ? first : asOne(plays);
}

async function playTransfer(scene: StepScene, step: TransferStep, id: string): Promise<Play> {
  const { stage, show, rivals } = scene;
  const label = step.name ?? step.kind;
  show.phase(label, step.bytes);
  const yardstick = { ...rivals, countedFromSecond: scene.countedFromSecond };
  const outcome = await runStep(scene, step, id, yardstick, {
    onEvent: (event) => showEvent(show, event),
    onBytes: (bytes) => show.progress(bytes),
  });
  const judged = rivals.mptcp === null ? withoutRival(step) : step;
  const { ofSum, seconds, stallMsMax } = outcome.report;
  const share = ofSum === null ? '' : `, ${(ofSum * 100).toFixed(1)} % of the sum`;
  show.say(`${label}: ${seconds.toFixed(2)} s${share}, longest stall ${stallMsMax.toFixed(0)} ms`);
  return {
    report: outcome.report,
    checks: stepChecks(judged, outcome, stage.content.sha256(step.bytes), label),
    worst: limitChecks(outcome.report, step.worst, label),
  };
}
