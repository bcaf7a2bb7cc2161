import { limits, ResetReason, StrandRole } from '@tresse/core';
import { FreeListPool, Prng } from '@tresse/kit';
import { bestAead, EventLoop, nativeSlab } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { egressConnect } from '../src/worker/egress.ts';
import { type DriverEvents, SessionDriver } from '../src/worker/session-driver.ts';
import { type Kid, StrandCaller } from '../src/worker/strand-caller.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { StrandSocket } from '../src/worker/strand-socket.ts';
import type { Connect } from '../src/worker/stream-sockets.ts';
import { connectedPair, finish, Peer, Server, settle, socketCount, until } from './peer.ts';

const aead = bestAead('aes-256-gcm');
const quiet: DriverEvents = { onPath: () => {}, onAnswered: () => {}, onStrandClosed: () => {}, onOver: () => {} };

let loop: EventLoop;
let pool: FreeListPool;
let before: number;

beforeEach(() => {
  before = socketCount();
  loop = new EventLoop();
  pool = new FreeListPool(nativeSlab, 0);
});

afterEach(() => {
  finish(loop);
  expect(pool.usedBytes).toBe(0);
  expect(socketCount()).toBe(before);
});

/** A mutated target must not lead out of this machine, nor to somebody else's port. */
function driverOf(side: 'box' | 'relay', events = quiet, port = 0): SessionDriver {
  const egress = egressConnect({ listen: [], allowPrivate: ['127.0.0.1'] });
  const connect: Connect = (stream) => {
    const { target } = stream;
    const ours = target.port === port && target.address.join('.') === '127.0.0.1';
    return ours ? egress(stream) : { refused: ResetReason.forbidden };
  };
  const driver = new SessionDriver(side, 'peer', loop, pool, connect, () => {}, events);
  loop.afterBatch(() => driver.afterBatch());
  return driver;
}

function strandOf(driver: SessionDriver, id: number): { socket: StrandSocket; peer: Peer } {
  const { near, far } = connectedPair(loop);
  const keys = strandKeys(aead, new Uint8Array(32), new Uint8Array(16).fill(id));
  const own = { seal: keys.down, sealCounter: 0, open: keys.up, openCounter: 1 };
  const socket = new StrandSocket(far, loop, aead, own, driver);
  driver.addStrand(socket, id, 1, StrandRole.quick);
  socket.watch();
  const peer = new Peer(loop, near);
  peer.forgetful = true;
  return { socket, peer };
}

/** A frame with its length. */
const frame = (type: number, body: readonly number[]): number[] => [
  type,
  0,
  body.length >> 8,
  body.length & 255,
  ...body,
];
const u64 = (value: number): number[] => [0, 0, 0, 0, 0, 0, value >> 8, value & 255];

test('ten thousand authenticated records of half-right frames: an answer or a violation, never more', () => {
  const server = new Server(loop);
  const driver = driverOf('relay', quiet, server.port);
  const { socket, peer } = strandOf(driver, 1);
  const prng = new Prng(7);
  const below = (n: number): number => prng.int(0, n - 1);
  const slab = nativeSlab(limits.recordBytesMax);
  const address = [4, server.port >> 8, server.port & 255, 127, 0, 0, 1];
  const number = (): number[] => u64(below(40));
  const frames: (() => number[])[] = [
    () =>
      frame(
        0,
        Array.from({ length: below(5) }, () => 0),
      ),
    () => frame(1, [...u64(1 + 2 * below(20)), 2, 0, ...address]),
    () => frame(2, number()),
    () => frame(3, [...number(), ...u64(below(300)), ...Array.from({ length: below(300) }, () => 7)]),
    () => frame(4, [...number(), ...u64(below(600))]),
    () => frame(5, [...number(), below(9)]),
    () => frame(6, [...number(), ...u64(below(65_536))]),
    () => frame(7, [0, 0, 0, below(3), ...number()]),
    () => frame(8, [below(256), 0, 0, 0, below(256), below(3), below(2), ...number()]),
    () => frame(9, number()),
    () => frame(10, number()),
    () => frame(11, []),
    () => frame(0x80 + below(128), number()),
  ];
  let violations = 0;
  for (let i = 0; i < 10_000; i++) {
    const bytes = Array.from({ length: 1 + below(5) }, () => frames[below(frames.length)]?.() ?? []).flat();
    if (below(2) === 0) bytes[below(bytes.length)] = below(256);
    slab.bytes.set(bytes, 4);
    if (driver.onRecord(socket, slab, 4, 4 + bytes.length) !== undefined) violations++;
    if (i % 100 === 0) loop.turn(0);
  }
  settle(loop);
  expect(violations).toBeGreaterThan(1_000);
  expect(driver.session.counters.violations).toBe(violations);
  expect(driver.session.paths.size).toBeLessThan(256);
  driver.end('test ends');
  until(loop, () => peer.over, 'the end');
  peer.close();
  server.close();
});

test('a path that cannot be dialled costs a complaint, no descriptor and no fault', () => {
  const told: string[] = [];
  const driver = driverOf('box');
  const kid = { kid: new Uint8Array(8), secret: new Uint8Array(32), cipher: 'aes-256-gcm' } as const;
  const caller = new StrandCaller(driver, kid, loop, 0, (_level, text, fields) =>
    told.push(`${text}: ${fields['reason']}`),
  );
  const path = {
    uplink: 'wan',
    interface: 'lo',
    localAddress: '127.0.0.1',
    relayAddress: '127.0.0.1',
    relayPort: 1,
    enabled: true,
    metered: false,
  };
  const bad = [
    { ...path, path: 1, interface: 'none-such0' },
    { ...path, path: 2, interface: 'a name that is too long' },
    { ...path, path: 3, localAddress: '203.0.113.77' },
    { ...path, path: 4, localAddress: 'nowhere' },
    { ...path, path: 5, relayAddress: '2001:db8::1' },
    { ...path, path: 6 },
  ];
  caller.setPaths(new Map(bad.map((one) => [one.path, one])));
  for (const one of bad) caller.dialer.enable(one.path, true);
  caller.dial(loop.nowMs);
  until(loop, () => told.length === bad.length, 'a complaint for each');
  expect(told.every((text) => text.startsWith('no connection to the relay: '))).toBe(true);
  expect(socketCount()).toBe(before);
  // Told the same again: nothing is dialled before its time.
  for (const one of bad) caller.dialer.enable(one.path, true);
  expect(caller.dialer.poll(loop.nowMs)).toBeUndefined();
  expect(caller.dialer.nextDueMs(loop.nowMs)).toBeGreaterThan(loop.nowMs);
  caller.end();
  driver.end('test ends');
});

test('a key that is followed by another is erased, and the last one at the end', () => {
  const driver = driverOf('box');
  const [first, second] = [1, 2].map((number) => ({
    kid: new Uint8Array(8).fill(number),
    secret: new Uint8Array(32).fill(number),
    cipher: 'aes-256-gcm' as const,
  })) as [Kid, Kid];
  const caller = new StrandCaller(driver, first, loop, 0, () => {});
  caller.renew(second);
  expect([first.secret[0], second.secret[0]]).toEqual([0, 2]);
  caller.end();
  expect(second.secret[0]).toBe(0);
  driver.end('test ends');
});

test('a session without a line for too long is over, until a box that was only frozen opens a strand', () => {
  let over = 0;
  const driver = driverOf('relay', { ...quiet, onOver: () => over++ });
  const { session } = driver;
  const first = strandOf(driver, 1);
  session.handlePathState(1, false, false, loop.nowMs);
  const laterMs = loop.nowMs + limits.sessionWithoutStrandsMs + 1_000;
  expect(session.tick(laterMs)).toBe(false);
  driver.closeStrands('no line for too long');
  // The word that its line is up again comes with the first record, after this.
  session.handleStrandUp(2, 1, StrandRole.quick, laterMs + 1);
  expect(session.tick(laterMs + 2)).toBe(true);
  until(loop, () => first.peer.over, 'the end of the old strand');
  expect(over).toBe(0);
  first.peer.close();
  driver.end('test ends');
});

test('a strand that closes is told once, with whoever ended it', () => {
  const ends: [number, boolean, string][] = [];
  const driver = driverOf('relay', {
    ...quiet,
    onStrandClosed: (strand, socket, reason) => ends.push([strand.id, socket.endedByPeer, reason]),
  });
  const first = strandOf(driver, 1);
  const second = strandOf(driver, 2);
  first.peer.reset();
  until(loop, () => ends.length === 1, 'the first end');
  driver.closeStrands('no longer wanted');
  until(loop, () => second.peer.over, 'the second end');
  expect(ends).toEqual([
    [1, true, expect.any(String)],
    [2, false, 'no longer wanted'],
  ]);
  expect(driver.session.strands.size).toBe(0);
  driver.end('test ends');
  second.peer.close();
});
