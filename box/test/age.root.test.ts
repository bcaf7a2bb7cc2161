/**
 * A relay of two workers and two boxes, whose LAN hosts open and close hundreds of streams a second while keys and strands
 * change every few seconds: months, compressed. Everything is counted before and after; nothing may have grown.
 * `TRESSE_AGE_S=600` makes ten minutes of it.
 */
import { join } from 'node:path';

import type { DaemonStatus } from '@tresse/schema';
import { run } from '@tresse/sys';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { type Census, census, least } from './census.ts';
import { at, nameOf, Stage } from './stage.ts';
import type { Order, Tally } from './turnover.ts';

const seconds = Number(process.env['TRESSE_AGE_S'] ?? 30);
/** Code is compiled, buffers are made, heaps have found their size. */
const warmUpS = 8;
/** Streams of each of the two households: so many opened a second, so many that stay. */
const perS = 250;
const live = 100;
const rekeyEveryMs = 3_000;
const patience = { timeout: 30_000, interval: 100 };
const mebi = 1_048_576;
/** Threads of a daemon's data plane; each has a heap of its own. */
const threads = { box: 1, box2: 1, relay: 2 } as const;
/**
 * What a process may have grown by for each of them, however long it ran: a heap's young generation grows to its bound of 24 MiB
 * some day, and the old one is collected when it has doubled; each of their pages is a map. In ten minutes that is 170 bytes for each stream a thread has had.
 */
const residentGrowthMax = 48 * mebi;
const mapsGrowthMax = 256;

type Room = 'box' | 'box2' | 'relay';
const rooms: readonly Room[] = ['box', 'box2', 'relay'];
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.lay(2);
  stage.configure({}, { workers: 2 });
  stage.start('relay');
  for (const box of ['box', 'box2'] as const) stage.start(box, '--rekey-every', `${rekeyEveryMs / 1_000}s`);
});
afterAll(async () => {
  await stage?.clear();
});

/** Opens and closes streams for so long. Throws where one ends otherwise than it should. */
async function turnover(lastsS: number): Promise<Tally> {
  const order: Order = {
    lans: [nameOf('lan'), nameOf('lan2')],
    servers: nameOf('inet'),
    address: '198.51.100.10',
    port: 8_000,
    ports: 8,
    perS,
    seconds: lastsS,
    live,
    askGapMs: 1_000,
  };
  const argv = [process.execPath, join(import.meta.dirname, 'turnover.ts'), JSON.stringify(order)];
  const tally = JSON.parse(await run(argv, { timeoutMs: (3 * lastsS + 60) * 1_000 })) as Tally;
  expect(tally.failed).toEqual({});
  expect(tally.replied).toBe(tally.asked);
  expect(tally.answered + tally.refused + tally.abandoned).toBe(tally.opened - 2 * live);
  return tally;
}

const status = (room: Room): Promise<DaemonStatus> => stage.statusOf(room);

const counted = (): Promise<Record<Room, Census>> =>
  least({ box: stage.pidOf('box'), box2: stage.pidOf('box2'), relay: stage.pidOf('relay') }, 2 * rekeyEveryMs);

/** TCP sockets of a namespace that are not closed, whoever has them or had them. */
async function socketsOf(place: 'box' | 'box2' | 'relay'): Promise<number> {
  return Number(/^TCP: inuse (\d+)/mu.exec(await at(place, 'cat', '/proc/net/sockstat'))?.[1]);
}

const pair = (name: string, was: number, is: number): string => `${name} ${was} -> ${is}`;

/** What a daemon and its namespace have open beside strands, which are replaced while we look. */
interface Beside {
  readonly descriptors: number;
  readonly watched: number;
  readonly sockets: number;
}

const strandsOf = async (room: Room): Promise<number> =>
  (await status(room)).sessions.flatMap(({ paths }) => paths).reduce((sum, { strands }) => sum + strands.length, 0);

/** Undefined where a strand came or went meanwhile. */
async function besideStrands(room: Room): Promise<Beside | undefined> {
  const strands = await strandsOf(room);
  const sockets = await socketsOf(room);
  const { descriptors, watched } = census(stage.pidOf(room));
  if ((await strandsOf(room)) !== strands) return undefined;
  return { descriptors: descriptors - strands, watched: watched - strands, sockets: sockets - strands };
}

/** The least of each that is seen in the time of two handshakes, which come and go. */
async function leastBeside(room: Room): Promise<Beside> {
  const seen: Beside[] = [];
  for (const endMs = performance.now() + 2 * rekeyEveryMs; performance.now() < endMs;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const now = await besideStrands(room);
    if (now) seen.push(now);
  }
  const lowest = (name: keyof Beside): number => Math.min(...seen.map((one) => one[name]));
  return { descriptors: lowest('descriptors'), watched: lowest('watched'), sockets: lowest('sockets') };
}

/** What one daemon had before and has now, for people. */
function report(room: Room, before: Census, after: Census): string {
  return [
    room,
    pair('descriptors', before.descriptors, after.descriptors),
    pair('watched', before.watched, after.watched),
    pair('maps', before.maps, after.maps),
    `${pair('resident', Math.round(before.residentBytes / mebi), Math.round(after.residentBytes / mebi))} MiB`,
  ].join(', ');
}

/** Nothing is left of the streams there were, and the daemon has not grown. */
async function asBefore(room: Room, before: Census, after: Census, beside: Beside): Promise<void> {
  // What the kernel kept of streams whose daemon had closed them is over too.
  await vi.waitFor(async () => expect(await leastBeside(room), room).toEqual(beside), patience);
  expect(after.maps - before.maps, `maps of ${room}`).toBeLessThan(mapsGrowthMax * threads[room]);
  expect(after.residentBytes - before.residentBytes, `memory of ${room}`).toBeLessThan(
    residentGrowthMax * threads[room],
  );
  const { sessions, counters } = await status(room);
  expect(sessions.map(({ streams }) => streams)).toEqual(room === 'relay' ? [0, 0] : [0]);
  for (const one of sessions) expect(one.counters).toMatchObject({ violations: 0, recordsRefused: 0 });
  expect(counters['memoryBytes'], `slabs of ${room}`).toBe(0);
}

test(
  'hundreds of streams a second, keys that change every three seconds: all are answered, and nothing grows',
  { timeout: (3 * (warmUpS + seconds) + 200) * 1_000 },
  async () => {
    await vi.waitFor(
      async () => expect((await status('relay')).sessions.map(({ paths }) => paths.length)).toEqual([2, 2]),
      patience,
    );
    await turnover(warmUpS);
    const before = await counted();
    const beside = {
      box: await leastBeside('box'),
      box2: await leastBeside('box2'),
      relay: await leastBeside('relay'),
    };
    const keys = stage.log('box').split('msg="keys are renewed"').length;

    const beganMs = performance.now();
    const tally = await turnover(seconds);
    const tookS = (performance.now() - beganMs) / 1_000;
    expect(tally.opened).toBe(2 * (perS * seconds + live));
    expect(stage.log('box').split('msg="keys are renewed"').length - keys).toBeGreaterThan(seconds / 6);

    const after = await counted();
    for (const room of rooms) process.stdout.write(`${report(room, before[room], after[room])}\n`);
    const coreS = rooms.reduce((sum, room) => sum + after[room].cpuS - before[room].cpuS, 0);
    const { opened, medianMs, longestMs } = tally;
    process.stdout.write(
      `${opened} streams in ${tookS.toFixed(1)} s, ${Math.round(opened / coreS)} a second of one core, both ends; answered after ${medianMs.toFixed(1)} ms, at the longest ${Math.round(longestMs)} ms\n`,
    );
    await Promise.all(rooms.map((room) => asBefore(room, before[room], after[room], beside[room])));
  },
);
