import { monotonicMs } from '@tresse/sys';

import { Call } from '../measure/call.ts';
import { timed } from '../measure/extent.ts';
import { beginTransfer } from '../measure/transfer.ts';
import { pause } from '../process/in-turn.ts';
import type { CallFigures, CallWay } from '../report/call-figures.ts';
import { type Check, check, truth } from '../report/report.ts';
import type { CallStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import { Meanwhile } from './meanwhile.ts';
import type { PlayedStep, StepScene } from './play-step.ts';
import { playFlow } from './udp.ts';

/** What fills the lines is at its rate after this; the call begins then. */
const fillMs = 2_000;
/** It outlasts the call by so much. */
const outlastsMs = 3_000;
/** Transfers that have not ended so long after their time have got stuck. */
const patienceMs = 20_000;
/** UDP beside the call: of the sum of the lines alone. */
const besideOfSum = 0.5;

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
  const fill = beginFill(scene, step, index);
  if (step.beside.length > 0) await pause(fillMs);
  const meanwhile = await Meanwhile.begin(stage, product, {
    id: String(index),
    events: step.events,
    direction: 'down',
    bytes: 0,
    askEveryMs: undefined,
    limits: {},
    onEvent: (event) => show.event(event.line, event.effect, `${event.atSeconds.toFixed(1)} s: ${event.text}`),
  });
  const call = await Call.begin(stage.names, step.every, step.packet);
  meanwhile.events.progress(0, monotonicMs());
  await pause(step.time);
  const loaded = await call.end();
  await meanwhile.end();
  await fill();
  const figures: CallFigures = { idle, loaded };
  for (const way of ['down', 'up'] as const) {
    const { lost, sent, delayMsP99 } = loaded[way];
    show.say(`${label}, ${way}: ${lost} of ${sent} lost, ${delayMsP99?.toFixed(0) ?? '-'} ms for 99 %`);
  }
  const { done } = meanwhile.events;
  const report = {
    ...blankReport('call', label, (monotonicMs() - beganMs) / 1_000),
    events: done.map(({ atSeconds, text }) => ({ atSeconds, text })),
    call: figures,
  };
  return { report, checks: callChecks(step, figures, done.length, label) };
}

/** Fills the lines with what the step names. Returns what ends it. */
function beginFill(scene: StepScene, step: CallStep, index: number): () => Promise<void> {
  const { stage, rivals } = scene;
  const { names, server, content } = stage;
  const ms = fillMs + step.time + outlastsMs;
  const transfers = (['download', 'upload'] as const)
    .filter((kind) => step.beside.includes(kind))
    .map((kind) =>
      beginTransfer({
        ...timed(stage, kind === 'download' ? 'down' : 'up', ms / 1_000),
        kind,
        id: `call-${kind}-${index}`,
        netns: names.lan,
        server,
        content,
      }),
    );
  const rateBps = Math.round(rivals.sum.downBitsPerSecond * besideOfSum);
  const flow = step.beside.includes('udp')
    ? playFlow(scene, { direction: 'down', rateBps, packet: 1_300, time: ms })
    : undefined;
  flow?.catch(() => {});
  const stuck = setTimeout(() => {
    for (const transfer of transfers) transfer.stop();
  }, ms + patienceMs);
  return async () => {
    await Promise.all(transfers.map((transfer) => transfer.outcome));
    clearTimeout(stuck);
    await flow;
  };
}

function callChecks({ limits, events }: CallStep, { idle, loaded }: CallFigures, done: number, label: string): Check[] {
  const ways = (['down', 'up'] as const).flatMap((way) =>
    wayChecks(limits, loaded[way], idle[way], `${label}, ${way}`),
  );
  if (events.length === 0) return ways;
  return [...ways, truth(`${label}: all events happened`, done === events.length, `${done} of ${events.length}`)];
}

function wayChecks(limits: CallStep['limits'], loaded: CallWay, idle: CallWay, label: string): Check[] {
  const { addedMsP99Max, jitterMsMax, lostMax, gapMsMax } = limits;
  const came = loaded.delayMsP99 !== null;
  const figures = [
    ['added delay for 99 % in ms', added(loaded, idle), addedMsP99Max],
    ['jitter in ms', came ? loaded.jitterMs : null, jitterMsMax],
    ['packets lost', loaded.lost, lostMax],
    ['longest gap in ms', came ? loaded.gapMs : null, gapMsMax],
  ] as const;
  return figures.flatMap(([what, value, limit]) =>
    limit === undefined ? [] : [check(`${label}: ${what}`, value, 'max', limit)],
  );
}

function added(loaded: CallWay, idle: CallWay): number | null {
  return loaded.delayMsP99 === null || idle.delayMsMedian === null ? null : loaded.delayMsP99 - idle.delayMsMedian;
}
