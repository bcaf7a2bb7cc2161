import { type Check, type StepReport, truth } from '../report/report.ts';
import type { Show } from '../report/show.ts';
import type { RivalFigures } from '../rivals/measure-rivals.ts';
import type { PingStep, Step, TransferStep } from '../scenario/scenario.ts';
import type { Stage } from '../stage.ts';
import { pingStepReport } from './ping.ts';
import { stepChecks, withoutRival } from './step-checks.ts';
import type { DoneEvent } from './step-events.ts';
import { runStep } from './step.ts';

/** What steps are played on and shown on. */
export interface StepScene {
  readonly stage: Stage;
  readonly show: Show;
  readonly rivals: RivalFigures;
  readonly countedFromSecond: number;
}

/** A step's figures and what it was judged by. */
export interface PlayedStep {
  readonly report: StepReport;
  readonly checks: Check[];
}

/** Plays one step, of whatever kind, and judges it. Rejects only where the lab itself fails. */
export async function playStep(scene: StepScene, step: Step, index: number): Promise<PlayedStep> {
  return step.kind === 'ping' ? await playPing(scene, step) : await playTransfer(scene, step, index);
}

async function playPing({ stage, show }: StepScene, step: PingStep): Promise<PlayedStep> {
  const label = step.name ?? step.kind;
  show.phase(label);
  const report = await pingStepReport(stage.names.lan, step);
  const { sent = 0, received = 0, rttMsMean = 0 } = report.ping ?? {};
  show.say(`${label}: ${received} of ${sent} answered, ${rttMsMean.toFixed(1)} ms`);
  return { report, checks: [truth(`${label}: every echo answered`, received === sent, `${received} of ${sent}`)] };
}

async function playTransfer(scene: StepScene, step: TransferStep, index: number): Promise<PlayedStep> {
  const { stage, show, rivals } = scene;
  const label = step.name ?? step.kind;
  show.phase(label, step.bytes);
  const yardstick = { ...rivals, countedFromSecond: scene.countedFromSecond };
  const outcome = await runStep(stage, step, index, yardstick, {
    onEvent: (event) => show.event(event.line, troubleOf(event), `${event.atSeconds.toFixed(1)} s: ${event.text}`),
    onBytes: (bytes) => show.progress(bytes),
  });
  const judged = rivals.mptcp === null ? withoutRival(step) : step;
  const { ofSum, seconds, stallMsMax } = outcome.report;
  const share = ofSum === null ? '' : `, ${(ofSum * 100).toFixed(1)} % of the sum`;
  show.say(`${label}: ${seconds.toFixed(2)} s${share}, longest stall ${stallMsMax.toFixed(0)} ms`);
  return { report: outcome.report, checks: stepChecks(judged, outcome, stage.content.sha256(step.bytes), label) };
}

/** What is wrong with a line after the event; empty where nothing is. */
function troubleOf({ effect }: DoneEvent): string {
  return effect === 'silent' || effect === 'no carrier' ? effect : '';
}
