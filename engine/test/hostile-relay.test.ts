/** A relay of bad will against a box, which made the keys with it: the box is held up, and nothing more. */
import { limits, ResetReason, StrandRole } from '@tresse/core';
import { FreeListPool, mutated, Prng } from '@tresse/kit';
import { type AeadKey, bestAead, EventLoop, nativeSlab } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { SessionDriver } from '../src/worker/session-driver.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { StrandSocket } from '../src/worker/strand-socket.ts';
import { full, say } from './hostile-box.ts';
import { connectedPair, finish, Peer, socketCount, until } from './peer.ts';
import { frame, record, u64 } from './siege.ts';

const seed = Number(process.env['TRESSE_SEED'] ?? 1);
const again = `TRESSE_SEED=${seed} vitest run --project unit engine/test/hostile-relay.test.ts`;
const aead = bestAead('aes-256-gcm');
const secret = new Uint8Array(32).fill(7);

let loop: EventLoop;
let pool: FreeListPool;
let box: SessionDriver;
let messages: number;
let client: Peer;
let before: number;
let strands: number;
const open = new Set<Peer>();

beforeEach(() => {
  before = socketCount();
  loop = new EventLoop();
  pool = new FreeListPool(nativeSlab, 0);
  messages = 0;
  strands = 0;
  box = new SessionDriver(
    'box',
    'relay',
    loop,
    pool,
    () => ({ refused: ResetReason.forbidden }),
    () => {},
    {
      onPath: () => {},
      onMessage: () => void messages++,
      onAnswered: () => {},
      onStrandClosed: () => {},
      onOver: () => {},
    },
  );
  loop.afterBatch(() => box.afterBatch());
  const { near, far } = connectedPair(loop);
  client = new Peer(loop, near);
  const stream = box.session.openStream({ address: Uint8Array.of(198, 51, 100, 1), port: 80 }, [], loop.nowMs);
  box.sockets.adopt(stream, far);
});

afterEach(() => {
  box.end('the test ends');
  client.close();
  for (const peer of open) peer.close();
  open.clear();
  expect(pool.usedBytes, again).toBe(0);
  expect(box.session.heldBytes, again).toBe(0);
  finish(loop);
  expect(socketCount(), again).toBe(before);
});

interface Line {
  readonly peer: Peer;
  readonly down: AeadKey;
  counter: number;
}

/** A strand the box has opened, its other end in the relay's hands. */
function strand(): Line {
  const { near, far } = connectedPair(loop);
  const id = ++strands;
  const salt = new Uint8Array(16).fill(id & 0xff, 0, 8).fill(id >> 8, 8);
  const own = strandKeys(aead, secret, salt);
  const keys = { seal: own.up, sealCounter: 1, open: own.down, openCounter: 0 };
  const socket = new StrandSocket(near, loop, aead, keys, box);
  box.addStrand(socket, id, 1 + (id % 200), StrandRole.quick);
  socket.watch();
  const peer = new Peer(loop, far);
  peer.forgetful = true;
  open.add(peer);
  const line = { peer, down: strandKeys(aead, secret, salt).down, counter: 0 };
  tell(line, frame(0));
  return line;
}

function tell(line: Line, text: Uint8Array): void {
  line.peer.send(record(line.down, line.counter++, text));
}

/** Each record, to the strand or to another where that one was closed. Returns how many were. */
function attack(count: number, text: (i: number) => Uint8Array): number {
  let line = strand();
  let closed = 0;
  for (let i = 0; i < count; i++) {
    if (line.peer.over) {
      line.peer.close();
      open.delete(line.peer);
      line = strand();
      closed++;
    }
    tell(line, text(i));
    loop.turn(0);
    const { peer } = line;
    until(loop, () => peer.over || peer.waitingBytes < 200_000, 'the box takes it');
  }
  return closed;
}

test('it acknowledges nothing: the LAN host is held up when the box has what it may', () => {
  strand();
  client.send(Buffer.alloc(2 * limits.sendBudgetBytes, 3));
  until(loop, () => box.session.heldBytes >= limits.creditFloorBytes, 'the first bytes');
  for (let i = 0; i < 300; i++) loop.turn(1);
  expect(client.waitingBytes).toBeGreaterThan(limits.sendBudgetBytes);
  expect(box.session.heldBytes).toBeLessThanOrEqual(limits.creditFloorBytes + limits.aheadOfCreditBytes + 131_072);
});

test('frames of every kind, damaged: strands are closed and counted', () => {
  const prng = new Prng(seed);
  const closed = attack(6_000, () => {
    const number = Math.floor(prng.logUniform(1, Number.MAX_SAFE_INTEGER));
    const stream = prng.int(0, 6);
    const good = [
      say.open(2 * prng.int(1, 50), 80),
      say.data(stream, prng.int(0, 70_000), Buffer.alloc(prng.int(1, 500))),
      say.credit(stream, number),
      say.ack(prng.int(1, 20), prng.int(0, 4)),
      say.fin(stream, number),
      say.path(prng.int(0, 255), prng.u32(), false),
      frame(11),
    ];
    const text = good[prng.int(0, good.length - 1)] ?? frame(11);
    const sent = prng.chance(0.5) ? mutated(prng, text) : text;
    return sent.length === 0 ? frame(0) : sent;
  });
  expect(closed, again).toBeGreaterThan(100);
  expect(box.session.counters.violations, again).toBeGreaterThanOrEqual(closed);
  expect(box.session.streams.size, again).toBeLessThanOrEqual(2 * limits.streamsMax);
});

test('streams of its own are refused, messages without end are not heard', () => {
  let stream = 0;
  attack(60, () => full(() => Buffer.concat([say.open((stream += 2), 22), say.data(stream, 0, Buffer.of(1))])));
  expect(box.sockets.count).toBe(1);
  let offset = 0;
  attack(60, () => {
    offset += 60_000;
    return frame(3, u64(0), u64(offset - 60_000), Buffer.alloc(60_000));
  });
  expect(messages).toBeLessThanOrEqual(1_100);
  expect(box.session.counters.messagesRefused).toBeGreaterThan(0);
});
