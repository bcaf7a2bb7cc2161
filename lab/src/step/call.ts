import { monotonicMs } from '@tresse/sys';

import { Call } from '../measure/call.ts';
import { timed } from '../measure/extent.ts';
import { beginTransfer, type TransferUnderWay } from '../measure/transfer.ts';
import { pause } from '../process/in-turn.ts';
import type { BesideFigures, CallFigures, CallWay } from '../report/call-figures.ts';
import { type Check, limited } from '../report/report.ts';
import type { CallStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import { beginEvents } from './events-shown.ts';
import type { PlayedStep, StepScene } from './play-step.ts';
import { eventCheck } from './step-checks.ts';
import { playFlow, udpFigures } from './udp.ts';

/** What fills the lines is at its rate after this; the call begins then. */
const fillMs = 2_000;
/** It outlasts the call by so much. */
const outlastsMs = 3_000;
/** Transfers that have not ended so long after their time have got stuck. */
const patienceMs = 20_000;
/** UDP beside the call: of the sum of the lines alone. */
const besideOfSum = 0.5;
const besidePacketBytes = 1_300;

/** Calls on idle lines, then beside what fills them, and judges both. Rejects only where the lab itself fails. */
export async function playCall(scene: StepScene, step: CallStep, index: number): Promise<PlayedStep> {
  const { stage, product, show } = scene;
  const label = step.name ?? step.kind;
  const beganMs = monotonicMs();
  show.phase(`${label}: idle lines`);
  const alone = await Call.begin(stage.names, step.every, step.packet);
  await pause(step.idle);
  const idle = await alone.end();
  show.phase(`${label}: ${step.beside.length === 0 ? 'again' : `beside ${step.beside.join(', ')}`}`);
  const fill = new Fill(scene, step, index);
  if (step.beside.length > 0) await pause(fillMs);
  const handshakes = await product.handshakes();
  const meanwhile = await beginEvents(scene, step.events, String(index));
  meanwhile.events.progress(0, monotonicMs());
  await pause(step.settle);
  const call = await Call.begin(stage.names, step.every, step.packet);
  const fromMs = monotonicMs();
  await pause(step.time);
  const toMs = monotonicMs();
  const loaded = await call.end();
  await meanwhile.end();
  const since = (await product.handshakes()) ?? NaN;
  const figures: CallFigures = {
    idle,
    loaded,
    beside: await fill.end(fromMs, toMs),
    handshakes: handshakes === undefined || Number.isNaN(since) ? null : since - handshakes,
  };
  for (const way of ['down', 'up'] as const) {
    const { lost, sent, delayMsP99 } = loaded[way];
    show.say(`${label}, ${way}: ${lost} of ${sent} lost, ${delayMsP99?.toFixed(0) ?? '-'} ms for 99 %`);
  }
  const report = {
    ...blankReport('call', label, (monotonicMs() - beganMs) / 1_000),
    events: meanwhile.happened,
    call: figures,
  };
  return { report, checks: [...callChecks(step, figures, label), ...eventCheck(step.events.length, report, label)] };
}

/** What fills the lines beside a call, from now on. */
class Fill {
  readonly #scene: StepScene;
  readonly #transfers: readonly { kind: 'download' | 'upload'; underWay: TransferUnderWay }[];
  readonly #flow: ReturnType<typeof playFlow> | undefined;
  readonly #stuck: NodeJS.Timeout;

  constructor(scene: StepScene, step: CallStep, index: number) {
    const { stage, rivals } = scene;
    const { names, server, content } = stage;
    const ms = fillMs + step.settle + step.time + outlastsMs;
    this.#scene = scene;
    this.#transfers = (['download', 'upload'] as const)
      .filter((kind) => step.beside.includes(kind))
      .map((kind) => ({
        kind,
        underWay: beginTransfer({
          ...timed(stage, kind === 'download' ? 'down' : 'up', ms / 1_000),
          kind,
          id: `call-${kind}-${index}`,
          netns: names.lan,
          server,
          content,
        }),
      }));
    const rateBps = Math.round(rivals.sum.downBitsPerSecond * besideOfSum);
    this.#flow = step.beside.includes('udp')
      ? playFlow(scene, { direction: 'down', rateBps, packet: besidePacketBytes, time: ms })
      : undefined;
    this.#flow?.catch(() => {});
    this.#stuck = setTimeout(() => {
      for (const { underWay } of this.#transfers) underWay.stop();
    }, ms + patienceMs);
  }

  /** Waits for its end. Returns what the transfers did between these moments. Throws SystemError `IPERF` where the flow did not run. */
  async end(fromMs: number, toMs: number): Promise<BesideFigures[]> {
    const { sum } = this.#scene.rivals;
    const figures = await Promise.all(
      this.#transfers.map(async ({ kind, underWay }): Promise<BesideFigures> => {
        const { arrivals } = await underWay.outcome;
        const bits = (arrivals.bytesAt(toMs) - arrivals.bytesAt(fromMs)) * 8_000;
        const sumBps = kind === 'download' ? sum.downBitsPerSecond : sum.upBitsPerSecond;
        const ofSum = sumBps === 0 ? null : bits / (toMs - fromMs) / sumBps;
        return { kind, stallMsMax: arrivals.longestGapMs(fromMs, toMs), ofSum };
      }),
    );
    clearTimeout(this.#stuck);
    const flow = await this.#flow;
    if (flow) udpFigures(flow.text, { rateBps: flow.rateBps, packet: besidePacketBytes, settledFrom: 0 });
    return figures;
  }
}

function callChecks({ limits }: CallStep, figures: CallFigures, label: string): Check[] {
  const { idle, loaded, beside, handshakes } = figures;
  return [
    ...(['down', 'up'] as const).flatMap((way) => wayChecks(limits, loaded[way], idle[way], `${label}, ${way}`)),
    ...beside.flatMap(({ kind, ofSum }) =>
      limited(`${label}, ${kind} beside: share of the sum`, ofSum, 'min', limits.besideOfSumMin),
    ),
    ...beside.flatMap(({ kind, stallMsMax }) =>
      limited(`${label}, ${kind} beside: longest stall in ms`, stallMsMax, 'max', limits.besideStallMsMax),
    ),
    ...limited(`${label}: handshakes`, handshakes, 'max', limits.handshakesMax),
  ];
}

function wayChecks(limits: CallStep['limits'], loaded: CallWay, idle: CallWay, label: string): Check[] {
  const { addedMsP99Max, jitterMsMax, lostMax, gapMsMax } = limits;
  const came = loaded.delayMsP99 !== null;
  return [
    ...limited(`${label}: added delay for 99 % in ms`, added(loaded, idle), 'max', addedMsP99Max),
    ...limited(`${label}: jitter in ms`, came ? loaded.jitterMs : null, 'max', jitterMsMax),
    ...limited(`${label}: packets lost`, loaded.lost, 'max', lostMax),
    ...limited(`${label}: longest gap in ms`, came ? loaded.gapMs : null, 'max', gapMsMax),
  ];
}

function added(loaded: CallWay, idle: CallWay): number | null {
  return loaded.delayMsP99 === null || idle.delayMsMedian === null ? null : loaded.delayMsP99 - idle.delayMsMedian;
}
