import { expect, test } from 'vitest';

import { PacketClass } from '../../src/packet/datagram.ts';
import { FlowQueue } from '../../src/packet/flow-queue.ts';
import { PacketSlots } from '../../src/packet/packet-slots.ts';
import { ipv4, type Made } from './ip.ts';

const { realtime, interactive, bulk } = PacketClass;

interface Bench {
  slots: PacketSlots;
  queue: FlowQueue;
  push: (made: Made, nowMs: number) => boolean;
  /** Takes the packet whose turn it is among those of a class; returns its source port, or 0 where none waits. */
  take: (kind: PacketClass, nowMs: number, apartMs?: number) => number;
}

function bench(places = 256): Bench {
  const slots = new PacketSlots(places, (size) => ({ bytes: new Uint8Array(size), address: 0 }));
  const queue = new FlowQueue(slots, 11);
  const push: Bench['push'] = (made, nowMs) => {
    const packet = ipv4(made);
    return queue.push(packet, 0, packet.length, nowMs);
  };
  const take: Bench['take'] = (kind, nowMs, apartMs = 0) => {
    const flow = queue.next(kind, apartMs, nowMs);
    if (!flow) return 0;
    const slot = queue.take(flow, kind);
    queue.settle(flow, kind, true);
    const at = slots.startOf(slot);
    slots.give(slot);
    return ((slots.slab.bytes[at + 20] ?? 0) << 8) | (slots.slab.bytes[at + 21] ?? 0);
  };
  return { slots, queue, push, take };
}

test('flows of a class take turns by bytes', () => {
  const { queue, push, take } = bench();
  for (let i = 0; i < 60; i++) push({ fromPort: 1, length: 1_400 }, 0);
  for (let i = 0; i < 60; i++) push({ fromPort: 2, length: 700 }, 0);
  const bytes = [0, 0, 0];
  for (let i = 0; i < 60; i++) {
    const port = take(interactive, 1);
    bytes[port] = (bytes[port] ?? 0) + (port === 1 ? 1_400 : 700);
  }
  expect(Math.abs((bytes[1] ?? 0) - (bytes[2] ?? 0))).toBeLessThan(17_000);
  expect(queue.bytesOf(interactive)).toBe(60 * 2_100 - (bytes[1] ?? 0) - (bytes[2] ?? 0));
});

test('a marked packet waits among its kind', () => {
  const { queue, push, take } = bench();
  push({ fromPort: 1, dscp: 46 }, 0);
  push({ fromPort: 2, dscp: 8 }, 0);
  push({ fromPort: 3 }, 0);
  expect([realtime, interactive, bulk].map((kind) => take(kind, 1))).toEqual([1, 3, 2]);
  expect(queue.empty).toBe(true);
});

test('a flow that becomes bulk goes there with all that waits of it, in order', () => {
  const { queue, push, slots } = bench(512);
  for (let ms = 0; ms < 200; ms++) push({ fromPort: 1, length: 1_400 }, ms / 2);
  expect(queue.bytesOf(interactive)).toBe(0);
  expect(queue.bytesOf(bulk)).toBe(200 * 1_400);
  const flow = queue.next(bulk, 0, 100)!;
  expect(flow.count).toBe(200);
  let before = -1;
  for (let i = 0; i < 200; i++) {
    const slot = queue.take(flow, bulk);
    expect(slots.timeOf(slot)).toBeGreaterThanOrEqual(before);
    before = slots.timeOf(slot);
    slots.give(slot);
  }
  expect(queue.empty).toBe(true);
  expect(slots.used).toBe(0);
});

test('what has stood too long is dropped, unless the lines are that far apart', () => {
  const { queue, push, take, slots } = bench();
  for (let i = 0; i < 20; i++) push({ fromPort: 1, length: 1_000 }, 0);
  push({ fromPort: 1, length: 1_000 }, 190);
  expect(take(interactive, 200, 150)).toBe(1);
  expect(queue.dropped).toBe(0);
  expect(take(interactive, 200)).toBe(1);
  expect(queue.dropped).toBe(19);
  expect(queue.empty).toBe(true);
  expect(slots.used).toBe(0);
});

test('where there is no room the longest flow gives some up', () => {
  const { queue, push, take, slots } = bench(32);
  for (let i = 0; i < 40; i++) expect(push({ fromPort: 1, length: 1_000 }, 0)).toBe(true);
  expect(push({ fromPort: 2, length: 100 }, 0)).toBe(true);
  expect(queue.crowdedOut).toBe(9);
  expect(slots.used).toBe(32);
  const ports = Array.from({ length: 32 }, () => take(interactive, 1));
  expect(ports.filter((port) => port === 2).length).toBe(1);
  expect(slots.used).toBe(0);
});

test('two floods share the room, whichever came first, and a small flow loses nothing', () => {
  const { push, take } = bench(64);
  for (let i = 0; i < 100; i++) push({ fromPort: 1, length: 500 }, 0);
  push({ fromPort: 3, length: 100 }, 0);
  for (let i = 0; i < 300; i++) push({ fromPort: 2, length: 500 }, 0);
  for (let i = 0; i < 10; i++) push({ fromPort: 1, length: 500 }, 0);
  const ports = Array.from({ length: 64 }, () => take(interactive, 1));
  const countOf = (port: number): number => ports.filter((one) => one === port).length;
  expect(countOf(3)).toBe(1);
  expect(countOf(1)).toBeGreaterThan(20);
  expect(countOf(2)).toBeGreaterThan(20);
});

test('what is no IP packet is refused, and what is too long finds no room', () => {
  const { queue, push } = bench();
  expect(queue.push(new Uint8Array(40), 0, 40, 0)).toBe(false);
  expect(queue.refused).toBe(1);
  expect(push({ length: 3_000 }, 0)).toBe(false);
  expect(queue.empty).toBe(true);
});

test('the flows of a port scan are forgotten', () => {
  const { push, take, queue } = bench(64);
  for (let i = 0; i < 30_000; i++) {
    push({ fromPort: 1 + (i % 60_000), toPort: 1 + (i >> 3) }, i);
    take(interactive, i);
  }
  expect(queue.empty).toBe(true);
  expect(queue.flows).toBeLessThanOrEqual(8_193);
});
