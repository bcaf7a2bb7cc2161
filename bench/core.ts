/** The core without sockets: records through two sessions joined in memory, frames read, what is allocated and what stays. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { limits, type Local, Session, StrandRole, writeU32 } from '@tresse/core';
import { FreeListPool, heapSlab } from '@tresse/kit';

import { byTurns, median, nanosecondsPer } from './contest.ts';
import { JoinedSessions } from './joined.ts';
import { printTable, ratio, shown } from './table.ts';

const rounds = 5;
const turnMs = 200;
/** Turns of two joined sessions between two looks at the heap. */
const heapTurns = 4_000;
const heapRounds = 3;
/** Type of the ACK frame (docs/protocol.md). */
const ackType = 7;

interface Worlds {
  readonly name: string;
  readonly paths: number;
  readonly lineBytesPerS: number;
}

const worlds: readonly Worlds[] = [
  { name: '1 path, 10 Gbit/s', paths: 1, lineBytesPerS: 1.25e9 },
  { name: '3 paths, 10 Gbit/s', paths: 3, lineBytesPerS: 1.25e9 },
  { name: '3 paths, 20 Mbit/s', paths: 3, lineBytesPerS: 2.5e6 },
];

interface Pace {
  readonly recordsPerS: number;
  readonly gbps: number;
}

/** Real time, so many records and bytes of the joined sessions' virtual one. */
function pace(joined: JoinedSessions): Pace {
  const { records, deliveredBytes } = joined;
  const startedMs = performance.now();
  let nowMs = startedMs;
  while (nowMs - startedMs < turnMs) {
    for (let i = 0; i < 16; i++) joined.turn();
    nowMs = performance.now();
  }
  const seconds = (nowMs - startedMs) / 1_000;
  return {
    recordsPerS: (joined.records - records) / seconds,
    gbps: ((joined.deliveredBytes - deliveredBytes) * 8) / 1e9 / seconds,
  };
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

interface HeapUse {
  readonly allocated: number;
  readonly kept: number;
}

/** Bytes of the JavaScript heap one record allocates, and what of it is still there after a collection. */
function heapUse(joined: JoinedSessions, collect: () => void): HeapUse {
  collect();
  const { records } = joined;
  const before = getHeapStatistics();
  for (let i = 0; i < heapTurns; i++) joined.turn();
  const allocated = getHeapStatistics().total_allocated_bytes - before.total_allocated_bytes;
  collect();
  const kept = getHeapStatistics().used_heap_size - before.used_heap_size;
  const count = joined.records - records;
  return { allocated: allocated / count, kept: kept / count };
}

const nowhere: Local = {
  connect: () => {},
  deliver: (_stream, _slab, _start, length) => length,
  unacknowledged: () => 0,
  ended: () => {},
  reset: () => {},
  room: () => {},
  released: () => {},
};

/** Nanoseconds to read one frame of a record full of them: acknowledgements of a strand that is not there. */
async function frameNs(): Promise<number> {
  const session = new Session({ side: 'relay', local: nowhere, pool: new FreeListPool(heapSlab, 0) }, 0);
  const strand = session.handleStrandUp(1, 1, StrandRole.quick, 0);
  const slab = heapSlab(limits.recordBytesMax);
  const frameBytes = 16;
  const frames = 4_000;
  for (let i = 0; i < frames; i++) {
    slab.bytes[i * frameBytes] = ackType;
    slab.bytes[i * frameBytes + 3] = frameBytes - limits.frameHeaderBytes;
    writeU32(slab.bytes, i * frameBytes + limits.frameHeaderBytes, 999);
  }
  const work = (): void => void session.handleRecord(strand, slab, 0, frames * frameBytes, 0);
  const [figures = []] = await byTurns([() => nanosecondsPer(work, turnMs / 2)], rounds);
  return median(figures) / frames;
}

/** Runs and prints it. */
export async function core(): Promise<void> {
  const collect = collector();
  const joined = worlds.map((world) => new JoinedSessions(world.paths, world.lineBytesPerS));
  for (const each of joined) pace(each);
  const paces = await byTurns(
    joined.map((each) => () => pace(each)),
    rounds,
  );
  const heaps = await byTurns(
    joined.map((each) => () => heapUse(each, collect)),
    heapRounds,
  );
  const first = median(paces[0]?.map((p) => p.recordsPerS) ?? []);
  const rows = worlds.map(({ name }, i) => {
    const recordsPerS = median(paces[i]?.map((p) => p.recordsPerS) ?? []);
    return [
      name,
      shown(recordsPerS / 1_000),
      shown(median(paces[i]?.map((p) => p.gbps) ?? [])),
      ratio(recordsPerS, first),
      shown(median(heaps[i]?.map((h) => h.allocated) ?? [])),
      shown(median(heaps[i]?.map((h) => h.kept) ?? [])),
    ];
  });
  const head = ['', '1,000 records/s', 'Gbit/s', 'of the first', 'B allocated/record', 'B kept/record'];
  printTable('Core: records polled and handled, both ends in one thread, not sealed', head, rows);
  const ns = await frameNs();
  printTable('Core: frames read', ['', 'ns/frame', 'million/s'], [['acknowledgements', shown(ns), shown(1_000 / ns)]]);
}
