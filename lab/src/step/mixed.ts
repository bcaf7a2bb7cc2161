import { type Asked, Asking } from '../measure/asking.ts';
import { timed } from '../measure/extent.ts';
import { beginTransfer, type Transfer, type TransferUnderWay } from '../measure/transfer.ts';
import { isRelay } from '../network/addresses.ts';
import { pause } from '../process/in-turn.ts';
import { countedSince } from '../product/session-counts.ts';
import type { BulkFigures, MixedFigures, RequestFigures } from '../report/mixed-figures.ts';
import { quantile } from '../report/quantile.ts';
import { type Check, check, type DaemonFigures, truth } from '../report/report.ts';
import type { MixedStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import { daemonFigures } from './daemon-figures.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

const directions = ['down', 'up'] as const;
type Direction = (typeof directions)[number];

/** The bulk outlasts the requests by so much: those asked last are answered beside it. */
const outlastsMs = 1_000;
/** Bulk that has not ended so long after its time has got stuck. */
const patienceMs = 20_000;

/** Asks on idle lines, then beside one bulk transfer each way, and judges both. Rejects only where the lab itself fails. */
export async function playMixed(scene: StepScene, step: MixedStep, index: number): Promise<PlayedStep> {
  const { show } = scene;
  const label = step.name ?? step.kind;
  const beganMs = performance.now();
  show.phase(`${label}: requests on idle lines`);
  const idle = await asked(scene, step, `idle-${index}`, step.idle);
  show.phase(`${label}: requests beside bulk both ways`);
  const before = await scene.product.counts();
  const bulk = directions.map((direction) => beginBulk(scene, step, direction, `bulk-${direction}-${index}`));
  const stuck = setTimeout(() => {
    for (const one of bulk) one.stop();
  }, step.time + patienceMs);
  const loaded = await asked(scene, step, `loaded-${index}`, step.time);
  const [down, up] = await Promise.all(bulk.map((one) => one.outcome));
  clearTimeout(stuck);
  const transfers = { down, up } as Record<Direction, Transfer>;
  const mixed: MixedFigures = {
    idle: requestFigures(idle),
    loaded: requestFigures(loaded),
    down: bulkFigures(scene, transfers.down, 'down'),
    up: bulkFigures(scene, transfers.up, 'up'),
  };
  const { firstByteMsMedian, firstByteMsP95 } = mixed.loaded;
  show.say(
    `${label}: first byte beside bulk ${firstByteMsMedian?.toFixed(0)} ms, for 95 % ${firstByteMsP95?.toFixed(0)}`,
  );
  const daemons = daemonFigures(countedSince(before, await scene.product.counts()), mixed.down.bytes + mixed.up.bytes);
  const report = { ...blankReport('mixed', step.name, (performance.now() - beganMs) / 1_000), mixed, daemons };
  const requests = [...idle, ...loaded];
  return {
    report,
    checks: [
      ...truths(step, requests, transfers, label),
      ...mixedChecks(step, mixed, label),
      ...deadChecks(step, daemons, label),
    ],
  };
}

async function asked({ stage }: StepScene, step: MixedStep, prefix: string, forMs: number): Promise<Asked[]> {
  const { names, server, content } = stage;
  const asking = new Asking(names.lan, server, { everyMs: step.every, prefix, bytes: step.bytes, content });
  await pause(forMs);
  return await asking.end();
}

function beginBulk({ stage }: StepScene, step: MixedStep, direction: Direction, id: string): TransferUnderWay {
  const { names, server, content } = stage;
  return beginTransfer({
    ...timed(stage, direction, (step.time + outlastsMs) / 1_000),
    kind: direction === 'down' ? 'download' : 'upload',
    id,
    netns: names.lan,
    server,
    content,
  });
}

/** Times from the connect of each request. */
export function requestFigures(requests: readonly Asked[]): RequestFigures {
  const times = (of: 'answeredMs' | 'wholeMs'): number[] => requests.map((one) => (one[of] ?? Infinity) - one.beganMs);
  const firstBytes = times('answeredMs');
  return {
    asked: requests.length,
    whole: requests.filter((one) => one.wholeMs !== null).length,
    firstByteMsMedian: quantile(firstBytes, 0.5),
    firstByteMsP95: quantile(firstBytes, 0.95),
    wholeMsMedian: quantile(times('wholeMs'), 0.5),
  };
}

function bulkFigures(scene: StepScene, { arrivals, startMs }: Transfer, direction: Direction): BulkFigures {
  const goodput = arrivals.rateFromBps(startMs + scene.countedFromSecond * 1_000);
  const sumBps = scene.rivals.sum[`${direction}BitsPerSecond`];
  return {
    bytes: arrivals.bytes,
    seconds: ((arrivals.lastMs ?? startMs) - startMs) / 1_000,
    goodputBitsPerSecond: goodput,
    ofSum: sumBps > 0 ? goodput / sumBps : null,
    stallMsMax: arrivals.longestGap().ms,
  };
}

function truths(
  step: MixedStep,
  requests: readonly Asked[],
  transfers: Record<Direction, Transfer>,
  label: string,
): Check[] {
  const bad = requests.find((one) => one.wholeMs === null || !isRelay(one.from));
  const why = bad === undefined ? '' : bad.why || `the server saw ${bad.from || 'nobody'}`;
  return [
    truth(`${label}: every request answered with the right bytes, by the relay`, bad === undefined, why),
    ...directions.map((direction) => {
      const { wrongAt, arrivals, startMs, complaint } = transfers[direction];
      const seconds = ((arrivals.lastMs ?? startMs) - startMs) / 1_000;
      const holds = wrongAt < 0 && seconds * 1_000 >= step.time;
      const note = wrongAt >= 0 ? `wrong from byte ${wrongAt} on` : `ended after ${seconds.toFixed(1)} s: ${complaint}`;
      return truth(`${label}: bulk ${direction} with the right bytes to the end`, holds, note);
    }),
  ];
}

/** No line is cut: each one taken for dead is a mistake. */
function deadChecks({ limits }: MixedStep, daemons: DaemonFigures, label: string): Check[] {
  if (limits.suspicionsMax === undefined) return [];
  return [check(`${label}: lines taken for dead`, daemons.pathSuspicions, 'max', limits.suspicionsMax)];
}

/** The figures held against the step's limits. */
export function mixedChecks({ limits }: MixedStep, { idle, loaded, down, up }: MixedFigures, label: string): Check[] {
  const overIdle = (ms: number | null): number | null =>
    ms === null || idle.firstByteMsMedian === null ? null : ms - idle.firstByteMsMedian;
  const { ofSumMin, firstByteOverIdleMsMax, firstByteP95OverIdleMsMax } = limits;
  const at = (what: string, value: number | null, bound: Check['bound'], limit: number | undefined): Check[] =>
    limit === undefined ? [] : [check(`${label}: ${what}`, value, bound, limit)];
  return [
    ...at('bulk down, share of the sum', down.ofSum, 'min', ofSumMin),
    ...at('bulk up, share of the sum', up.ofSum, 'min', ofSumMin),
    ...at('first byte over idle in ms, median', overIdle(loaded.firstByteMsMedian), 'max', firstByteOverIdleMsMax),
    ...at('first byte over idle in ms, for 95 %', overIdle(loaded.firstByteMsP95), 'max', firstByteP95OverIdleMsMax),
  ];
}
