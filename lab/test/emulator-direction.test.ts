import { heapSlab, Prng, type Slab } from '@tresse/kit';
import { type DirectionSpec, plainDirection } from '@tresse/sim';
import { beforeEach, expect, test } from 'vitest';

import { Direction } from '../src/emulator/direction.ts';

const EAGAIN = -11;
/** 1,250 IP bytes take 1 ms. */
const spec: DirectionSpec = { ...plainDirection, rateBps: 10_000_000, delayMs: 5 };
const frameBytes = 1_250 + 14;

let nowMs = 0;
let slab: Slab = heapSlab(0);
let arriving: number[] = [];
let delivered: { tag: number; length: number; atMs: number }[] = [];
let refuse = false;

function makeSlab(size: number): Slab {
  slab = heapSlab(size);
  return slab;
}

/** Puts the frame of this tag there. */
let reading = (address: number, tag: number): number => {
  slab.bytes.fill(tag, address, address + frameBytes);
  return frameBytes;
};

function read(address: number): number {
  const tag = arriving.shift();
  return tag === undefined ? EAGAIN : reading(address, tag);
}

function write(address: number, length: number): number {
  if (refuse) return -5;
  delivered.push({ tag: slab.bytes[address]!, length, atMs: nowMs });
  return length;
}

function makeDirection(change: Partial<DirectionSpec> = {}, way: 'down' | 'up' = 'down'): Direction {
  const port = { read, write };
  return new Direction(
    { ...spec, ...change },
    new Prng(1),
    { source: port, sink: port, way },
    { clock: () => nowMs, makeSlab },
  );
}

beforeEach(() => {
  nowMs = 0;
  arriving = [];
  delivered = [];
  refuse = false;
});

test('delivers frames whole, in order, when they are due', () => {
  const direction = makeDirection();
  arriving = [1, 2, 3];
  expect(direction.receive()).toBe(3);
  for (nowMs = 0; nowMs <= 10; nowMs++) direction.deliver();
  expect(delivered).toEqual([
    { tag: 1, length: frameBytes, atMs: 6 },
    { tag: 2, length: frameBytes, atMs: 7 },
    { tag: 3, length: frameBytes, atMs: 8 },
  ]);
});

test('counts IP bytes, not the Ethernet header', () => {
  const direction = makeDirection();
  arriving = [1];
  direction.receive();
  expect(direction.counters().offeredBytes).toBe(1_250);
});

test('takes and delivers no more than a batch in one go, and says so', () => {
  const direction = makeDirection();
  arriving = Array.from({ length: 100 }, (_, i) => i);
  expect([direction.receive(), direction.receive(), direction.receive()]).toEqual([64, 36, 0]);
  nowMs = 1_000;
  expect([direction.deliver(), direction.deliver(), direction.deliver()]).toEqual([64, 36, 0]);
  expect(delivered.map(({ tag }) => tag)).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test('measures how late it was', () => {
  const direction = makeDirection();
  arriving = [1, 2];
  direction.receive();
  nowMs = 12;
  direction.deliver();
  expect(direction.counters()).toMatchObject({
    latePackets: 1,
    unpunctualPackets: 2,
    latenessMsMax: 6,
    latenessMsSum: 11,
  });
});

test('a cut delivers what is due, loses the rest and all that comes until the return', () => {
  const direction = makeDirection();
  arriving = [1, 2, 3];
  direction.receive();
  nowMs = 6.5;
  direction.cut();
  arriving = [4];
  direction.receive();
  arriving = [5];
  direction.restore();
  arriving = [6];
  direction.receive();
  nowMs = 100;
  direction.deliver();
  expect(delivered.map(({ tag }) => tag)).toEqual([1, 6]);
  expect(direction.counters()).toMatchObject({ offeredPackets: 6, deliveredPackets: 2, cutDrops: 4 });
});

test('memory follows a change of rate and delay; frames held survive it', () => {
  const direction = makeDirection({ rateBps: 100_000 });
  arriving = [1, 2];
  direction.receive();
  direction.set({ rateBps: 1_000_000_000, delayMs: 300 });
  arriving = Array.from({ length: 5_000 }, (_, i) => i % 200);
  while (direction.receive() > 0);
  nowMs = 2_000;
  while (direction.deliver() > 0);
  expect(delivered.map(({ tag }) => tag)).toEqual([1, 2, ...Array.from({ length: 5_000 }, (_, i) => i % 200)]);
});

test('counts what the receiving device refused', () => {
  const direction = makeDirection();
  arriving = [1];
  direction.receive();
  refuse = true;
  nowMs = 10;
  direction.deliver();
  expect(direction.counters()).toMatchObject({ deliveredPackets: 1, refusedPackets: 1 });
});

/** A frame with UDP by IPv4. */
function udpFrame(address: number): number {
  slab.bytes.fill(0, address, address + frameBytes);
  slab.bytes.set([0x08, 0x00, 0x45], address + 12);
  slab.bytes[address + 23] = 17;
  return frameBytes;
}

test.each(['down', 'up'] as const)('the operator polices at its own end of the line: %s', (way) => {
  const direction = makeDirection({}, way);
  direction.police({ rateBps: 0, ports: [0, 0xffff] });
  const plainRead = reading;
  reading = udpFrame;
  arriving = [1, 2];
  direction.receive();
  for (nowMs = 0; nowMs <= 10; nowMs++) direction.deliver();
  expect(delivered).toEqual([]);
  // The line itself carried what is dropped behind it.
  expect(direction.counters()).toMatchObject({ policedPackets: 2, deliveredPackets: way === 'up' ? 2 : 0 });
  direction.police(undefined);
  arriving = [3];
  direction.receive();
  nowMs = 100;
  direction.deliver();
  expect(delivered).toHaveLength(1);
  reading = plainRead;
});
