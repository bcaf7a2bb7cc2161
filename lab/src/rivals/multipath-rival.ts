import { SystemError } from '@tresse/kit';
import { readSysctl, writeSysctl } from '@tresse/sys';

import type { DirectionName } from '../emulator/index.ts';
import type { ServerProcess } from '../internet/server-process.ts';
import { timed, whole } from '../measure/extent.ts';
import { beginTransfer } from '../measure/transfer.ts';
import { lineAddresses, nicOf } from '../network/addresses.ts';
import { ipBatch } from '../network/internet.ts';
import { inTurn } from '../process/in-turn.ts';
import type { Stage } from '../stage.ts';
import type { RivalSettings } from './rivals.ts';

/** Kernel MPTCP over all lines, one way. */
export interface MultipathFigures {
  readonly bytes: number;
  /** Of the whole transfer; null where it was ended by time and not by bytes. */
  readonly seconds: number | null;
  readonly goodputBitsPerSecond: number;
  /** IP bytes each line carried. */
  readonly shares: { uplink: string; bytes: number }[];
}

/** What to carry each way: all of `bytes`, or as much as goes into the time of a single. */
export type MultipathOrder = Partial<Record<DirectionName, { bytes: number | undefined }>>;

/** Measures kernel MPTCP from the box. Needs the direct routes. Throws SystemError `MPTCP` where nothing is carried. */
export async function measureMultipath(
  stage: Stage,
  server: ServerProcess,
  settings: RivalSettings,
  order: MultipathOrder,
  onBegin: (direction: DirectionName) => void,
): Promise<Partial<Record<DirectionName, MultipathFigures>>> {
  const undo = await configure(stage, settings);
  try {
    const figures: Partial<Record<DirectionName, MultipathFigures>> = {};
    await inTurn(['down', 'up'] as const, async (direction) => {
      const wanted = order[direction];
      if (wanted === undefined) return;
      onBegin(direction);
      figures[direction] = await measure(stage, server, settings, direction, wanted.bytes);
    });
    return figures;
  } finally {
    await undo();
  }
}

/** Settings of the box and the internet host while the rival runs. */
function settingsOf(settings: RivalSettings): Record<string, string> {
  const { bufferBytesMax, blackholeTimeoutSeconds } = settings.mptcp;
  return {
    'net.ipv4.tcp_rmem': `4096 131072 ${bufferBytesMax}`,
    'net.ipv4.tcp_wmem': `4096 16384 ${bufferBytesMax}`,
    'net.mptcp.blackhole_timeout': String(blackholeTimeoutSeconds),
  };
}

async function configure({ names, lines }: Stage, settings: RivalSettings): Promise<() => Promise<void>> {
  const { subflows } = settings.mptcp;
  const limits = `mptcp limits set subflow ${subflows} add_addr_accepted ${subflows}`;
  const undo: (() => void)[] = [];
  for (const netns of [names.box, names.inet]) {
    for (const [key, value] of Object.entries(settingsOf(settings))) {
      const before = readSysctl(key, netns);
      // Older kernels have no black hole detection, and nothing to switch off.
      if (before === undefined) continue;
      writeSysctl(key, value, netns);
      undo.push(() => writeSysctl(key, before, netns));
    }
  }
  await ipBatch(names.inet, [limits]);
  await ipBatch(names.box, [
    limits,
    ...lines.map((line, i) => `mptcp endpoint add ${lineAddresses(lines, i).box} dev ${nicOf(line)} subflow`),
  ]);
  return async () => {
    await ipBatch(names.box, ['mptcp endpoint flush']);
    for (const step of undo) step();
  };
}

async function measure(
  stage: Stage,
  server: ServerProcess,
  settings: RivalSettings,
  direction: DirectionName,
  bytes: number | undefined,
): Promise<MultipathFigures> {
  const carried = async (): Promise<number[]> =>
    (await stage.emulator.counters()).map((c) => c[direction].deliveredBytes);
  const before = await carried();
  const kind = direction === 'down' ? 'download' : 'upload';
  const extent = bytes === undefined ? timed(stage, direction, settings.singleSeconds) : whole(stage, kind, bytes);
  const seen = await beginTransfer({
    ...extent,
    kind,
    id: `mptcp-${direction}`,
    netns: stage.names.box,
    server,
    wrapper: ['mptcpize', 'run'],
  }).outcome;
  const after = await carried();
  const { arrivals, startMs } = seen;
  if (arrivals.bytes === 0)
    throw new SystemError('MPTCP', `kernel MPTCP carried nothing ${direction}wards: ${seen.complaint}`);
  return {
    bytes: arrivals.bytes,
    seconds: bytes === undefined ? null : ((arrivals.lastMs ?? startMs) - startMs) / 1_000,
    goodputBitsPerSecond: arrivals.rateFromBps(startMs + settings.countedFromSecond * 1_000),
    shares: stage.lines.map((line, i) => ({ uplink: line.name, bytes: (after[i] ?? 0) - (before[i] ?? 0) })),
  };
}
