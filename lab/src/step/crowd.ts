import type { CrowdNote } from '../clients/crowd-orders.ts';
import { Crowd, type EchoPlace, EchoServer } from '../measure/crowd.ts';
import { kernelMemory, socketQueues } from '../measure/kernel-memory.ts';
import { processorSeconds, residentBytes } from '../measure/process-cost.ts';
import { addresses, isRelay, ports } from '../network/addresses.ts';
import { pause } from '../process/in-turn.ts';
import type { Product } from '../product/product.ts';
import type { CrowdFigures, Footprint } from '../report/crowd-figures.ts';
import { type Check, check, truth } from '../report/report.ts';
import type { CrowdStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

/** After so long whatever opening or closing streams left to do is done. */
const settleMs = 2_000;

/** Opens a crowd of streams, lets them talk, closes them, opens an idle crowd, and judges what both cost. Rejects only where the lab itself fails. */
export async function playCrowd(scene: StepScene, step: CrowdStep): Promise<PlayedStep> {
  const { stage, show } = scene;
  const label = step.name ?? step.kind;
  const beganMs = performance.now();
  const talk = { bytes: step.bytes, seed: scene.seed };
  const place: EchoPlace = { netns: stage.names.inet, address: addresses.internetHost, port: ports.echo };
  show.phase(`${label}: client and server alone`);
  const socketBytes = await measureSocket(scene, step);
  const server = await EchoServer.start(place);
  const crowd = new Crowd(stage.names.lan, place, talk);
  try {
    const figures = await measure(scene, step, crowd, socketBytes, label);
    const report = { ...blankReport('crowd', step.name, (performance.now() - beganMs) / 1_000), crowd: figures.crowd };
    const strangers = server.seen.filter((from) => !isRelay(from));
    return { report, checks: crowdChecks(step, figures, strangers, label) };
  } finally {
    await crowd.stop();
    await server.stop();
  }
}

/** What happened, for the truths, and its figures. */
export interface CrowdOutcome {
  readonly crowd: CrowdFigures;
  /** Opening the live streams, their talk, opening the idle ones, and one exchange of each of these in the end. */
  readonly notes: { readonly opened: CrowdNote; talked: CrowdNote; idleOpened: CrowdNote; idleAnswered: CrowdNote };
}

async function measure(
  scene: StepScene,
  step: CrowdStep,
  crowd: Crowd,
  socketBytes: number | null,
  label: string,
): Promise<CrowdOutcome> {
  const { product, show } = scene;
  const said = (text: string): void => show.phase(`${label}: ${text}`);
  said('without streams');
  const baseCores = await coresDuring(product, () => pause(step.idleTime));
  const base = await footprint(scene);
  const grown = async (streams: number): Promise<Grown> => grownBy(base, await footprint(scene), streams, socketBytes);
  said(`${step.live} live streams`);
  const opened = await crowd.obey({ do: 'open', count: step.live });
  const talked = await crowd.obey({ do: 'talk', everyMs: step.every, forMs: step.time });
  const live = await grown(step.live);
  await crowd.obey({ do: 'close' });
  said(`${step.idle} idle streams`);
  const idleOpened = await crowd.obey({ do: 'open', count: step.idle });
  await pause(settleMs);
  const cores = await coresDuring(product, () => pause(step.idleTime));
  const idle = await grown(step.idle);
  // Spread out: all at once would measure the client.
  const idleAnswered = await crowd.obey({ do: 'talk', everyMs: settleMs, forMs: settleMs });
  await crowd.obey({ do: 'close' });
  const { exchanges, right, msMedian, msMax } = talked;
  return {
    crowd: {
      base,
      socketBytes,
      live: { streams: step.live, exchanges, right, msMedian, msMax, ...live },
      idle: { streams: step.idle, baseCores, cores, ...idle },
    },
    notes: { opened, talked, idleOpened, idleAnswered },
  };
}

/** The slab memory of one socket of the crowd's client or server, in the LAN host with nothing between them; null where it cannot be told. */
async function measureSocket({ stage, seed }: StepScene, step: CrowdStep): Promise<number | null> {
  const place: EchoPlace = { netns: stage.names.lan, address: addresses.lanHost, port: ports.echo };
  const server = await EchoServer.start(place);
  const crowd = new Crowd(stage.names.lan, place, { bytes: step.bytes, seed });
  try {
    // The first ones pay for what all share.
    await crowd.obey({ do: 'open', count: 1 });
    const before = kernelMemory();
    await crowd.obey({ do: 'open', count: step.live });
    const after = kernelMemory();
    await crowd.obey({ do: 'close' });
    const sockets = after.tcpSockets - before.tcpSockets;
    return sockets < step.live ? null : (after.slabBytes - before.slabBytes) / sockets;
  } finally {
    await crowd.stop();
    await server.stop();
  }
}

async function footprint({ stage, product }: StepScene): Promise<Footprint> {
  const { box, relay } = product.processes();
  const kernel = kernelMemory();
  const queues = await Promise.all([socketQueues(stage.names.box), socketQueues(stage.names.relay)]);
  return {
    boxBytes: residentBytes(box),
    relayBytes: residentBytes(relay),
    kernel,
    sockets: queues.reduce((sum, of) => sum + of.sockets, 0),
    queueBytes: queues.reduce((sum, of) => sum + of.queueBytes, 0),
  };
}

type Grown = Pick<CrowdFigures['live'], 'boxBytesPerStream' | 'relayBytesPerStream' | 'kernelBytesPerStream'>;

/** Client and server have one of these each for a stream. */
const ownSockets = 2;

/** What a stream takes of box, relay and the kernel on their behalf; `socketBytes` is the slab memory of one socket of other programs. */
export function grownBy(base: Footprint, now: Footprint, streams: number, socketBytes: number | null): Grown {
  const each = {
    boxBytesPerStream: (now.boxBytes - base.boxBytes) / streams,
    relayBytesPerStream: (now.relayBytes - base.relayBytes) / streams,
  };
  const others = now.kernel.tcpSockets - base.kernel.tcpSockets - (now.sockets - base.sockets);
  // With more strangers than streams the figure would be theirs.
  const strangers = Math.abs(others - ownSockets * streams);
  if (socketBytes === null || strangers > streams) return { ...each, kernelBytesPerStream: null };
  const slabBytes = now.kernel.slabBytes - base.kernel.slabBytes - others * socketBytes;
  return { ...each, kernelBytesPerStream: (slabBytes + now.queueBytes - base.queueBytes) / streams };
}

/** Processor time of both daemons meanwhile, in cores. */
async function coresDuring(product: Product, work: () => Promise<void>): Promise<{ box: number; relay: number }> {
  const { box, relay } = product.processes();
  const now = (): number[] => [performance.now() / 1_000, processorSeconds(box), processorSeconds(relay)];
  const [fromSeconds = 0, boxFrom = 0, relayFrom = 0] = now();
  await work();
  const [toSeconds = 0, boxTo = 0, relayTo = 0] = now();
  const seconds = toSeconds - fromSeconds;
  return { box: (boxTo - boxFrom) / seconds, relay: (relayTo - relayFrom) / seconds };
}

/** Everything the step had to hold. */
export function crowdChecks(
  step: CrowdStep,
  { crowd, notes }: CrowdOutcome,
  strangers: readonly string[],
  label: string,
): Check[] {
  const { live, idle } = crowd;
  const { residentBytesMax, kernelBytesMax, answeredMsMax, idleCoresMax } = step.limits;
  const all = (what: string, { open, exchanges, right, why }: CrowdNote, streams: number): Check =>
    truth(
      `${label}: ${what}`,
      open === streams && right === exchanges && exchanges >= streams,
      `${open} of ${streams} open, ${right} of ${exchanges} exchanges right: ${why}`,
    );
  const at = (what: string, value: number | null, limit: number | undefined): Check[] =>
    limit === undefined ? [] : [check(`${label}: ${what}`, value, 'max', limit)];
  return [
    all('every live stream opened', notes.opened, step.live),
    all('every live stream answered each time', notes.talked, step.live),
    all('every idle stream opened', notes.idleOpened, step.idle),
    all('every idle stream still answered', notes.idleAnswered, step.idle),
    truth(`${label}: seen from the address of the relay`, strangers.length === 0, strangers.join(', ')),
    ...at('answer of the slowest live stream in ms', live.msMax, answeredMsMax),
    ...at('resident bytes a live stream', live.boxBytesPerStream + live.relayBytesPerStream, residentBytesMax),
    ...at('kernel bytes a live stream', live.kernelBytesPerStream, kernelBytesMax),
    ...at(
      'cores for the idle streams',
      idle.cores.box + idle.cores.relay - idle.baseCores.box - idle.baseCores.relay,
      idleCoresMax,
    ),
  ];
}
