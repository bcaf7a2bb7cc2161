import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { PacketSlots } from '../../src/packet/packet-slots.ts';
import { Resequencer } from '../../src/packet/resequencer.ts';

const slab = (size: number): { bytes: Uint8Array<ArrayBuffer>; address: number } => ({
  bytes: new Uint8Array(size),
  address: 0,
});

interface Bench {
  slots: PacketSlots;
  order: Resequencer;
  /** Numbers in the order of their delivery. */
  out: number[];
  take: (path: number, number: number, nowMs: number, ordered?: boolean, bucket?: number) => void;
}

/** Packets hold their number in their first four bytes. */
function bench(slotCount = 64): Bench {
  const slots = new PacketSlots(slotCount, slab);
  const out: number[] = [];
  const order = new Resequencer(slots, ({ bytes }, start) => out.push(new DataView(bytes.buffer).getUint32(start)));
  const packet = slab(100);
  const take: Bench['take'] = (path, number, nowMs, ordered = true, bucket = 7) => {
    new DataView(packet.bytes.buffer).setUint32(10, number);
    order.take(path, bucket, number >>> 0, ordered, packet, 10, 50, nowMs);
  };
  return { slots, order, out, take };
}

test('what comes in order goes on at once', () => {
  const { order, out, take, slots } = bench();
  for (let i = 0; i < 10; i++) take(1 + (i % 2), 100 + i, i);
  expect(out).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
  expect(order.nextMs(10)).toBe(Infinity);
  expect(slots.used).toBe(0);
});

test('a packet from a slower path is waited for', () => {
  const { order, out, take } = bench();
  take(2, 0, 0);
  take(1, 2, 1);
  take(1, 4, 5);
  take(1, 5, 5);
  expect(out).toEqual([0]);
  expect(order.held).toBe(3);
  take(2, 1, 20);
  expect(out).toEqual([0, 1, 2]);
  take(2, 3, 22);
  expect(out).toEqual([0, 1, 2, 3, 4, 5]);
  expect(order.givenUp + order.late).toBe(0);
});

test('once every path has brought something newer, nothing is waited for', () => {
  const { order, out, take, slots } = bench();
  take(1, 0, 0);
  take(2, 1, 0);
  take(1, 3, 1);
  expect(out).toEqual([0, 1]);
  take(2, 4, 2);
  expect(out).toEqual([0, 1, 3, 4]);
  expect(order.givenUp).toBe(1);
  expect(slots.used).toBe(0);
});

test('a path that has gone quiet is waited for until the deadline, and no longer', () => {
  const { order, out, take } = bench();
  take(1, 0, 0);
  take(2, 1, 0);
  take(1, 3, 1);
  take(1, 4, 2);
  const dueMs = order.nextMs(2);
  expect(dueMs).toBeGreaterThan(11);
  expect(dueMs).toBeLessThanOrEqual(301);
  order.tick(dueMs - 10);
  expect(out).toEqual([0, 1]);
  order.tick(dueMs);
  expect(out).toEqual([0, 1, 3, 4]);
  expect(order.nextMs(dueMs)).toBe(Infinity);
});

test('the deadline follows the waits that were worth it', () => {
  const { order, take } = bench();
  const firstMs = order.deadlineMs(0);
  let number = 0;
  for (let ms = 0; ms < 20_000; ms += 100) {
    take(1, number, ms);
    take(1, number + 2, ms);
    take(2, number + 1, ms + 20);
    number += 3;
  }
  expect(order.deadlineMs(20_000)).toBeCloseTo(30, 0);
  expect(order.deadlineMs(20_000)).toBeLessThan(firstMs);
  expect(order.late + order.givenUp).toBe(0);
});

test('a path that overtakes itself is given the time it needs', () => {
  const { order, out, take } = bench();
  let number = 0;
  for (let ms = 0; ms < 2_000; ms += 20) {
    take(1, number, ms);
    take(1, number + 2, ms + 1);
    take(1, number + 1, ms + 4);
    order.tick(ms + 10);
    number += 3;
  }
  expect(order.late).toBeLessThan(3);
  expect(out.length).toBe(number);
});

test('each is delivered once, whatever comes twice', () => {
  const { order, out, take } = bench();
  take(1, 0, 0);
  take(2, 0, 0);
  take(1, 2, 1);
  take(2, 2, 1);
  take(2, 1, 2);
  take(1, 1, 2);
  expect(out).toEqual([0, 1, 2]);
  expect(order.copies).toBe(3);
});

test('what need not be in order waits for nothing, and a copy of it is thrown away', () => {
  const { order, out, take } = bench();
  take(1, 0, 0, false);
  take(1, 5, 1, false);
  take(2, 5, 3, false);
  take(2, 3, 4, false);
  expect(out).toEqual([0, 5, 3]);
  expect(order.copies).toBe(1);
});

test('numbers wrap at 2^32', () => {
  const { out, take } = bench();
  const first = 0xffff_fffe;
  take(1, first, 0);
  take(2, first + 2, 1);
  take(1, first + 1, 2);
  take(1, first + 3, 3);
  expect(out).toEqual([0xffff_fffe, 0xffff_ffff, 0, 1]);
});

test('where there is no room, order is kept and nothing is lost', () => {
  const { order, out, take, slots } = bench(4);
  take(1, 0, 0);
  for (let i = 2; i < 12; i++) take(1, i, 0);
  expect(out).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].slice(0, out.length));
  expect(out.length + slots.used).toBe(11);
  order.flush();
  expect(out).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(slots.used).toBe(0);
});

test('a leap beyond the window does not hold the rest back', () => {
  const { out, take } = bench();
  take(1, 0, 0);
  take(1, 1_000_000, 1);
  take(1, 1_000_001, 2);
  expect(out).toEqual([0, 1_000_000, 1_000_001]);
});

test('two buckets do not wait for each other', () => {
  const { out, take } = bench();
  take(1, 0, 0, true, 1);
  take(1, 2, 1, true, 1);
  take(2, 50, 2, true, 2);
  take(2, 51, 3, true, 2);
  expect(out).toEqual([0, 50, 51]);
});

test('a bucket nobody uses is forgotten, and begins anew where it comes again', () => {
  const { order, out, take } = bench();
  take(1, 5, 0);
  order.tick(40_000);
  take(1, 3, 40_001);
  take(1, 4, 40_002);
  expect(out).toEqual([5, 3, 4]);
});

test('over paths of any delay, loss and copies: each once, and in order but for what came too late', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const prng = new Prng(seed);
    const { order, out, take, slots } = bench(2_000);
    const delays = [prng.int(1, 40), prng.int(1, 120), prng.int(1, 60)];
    const loss = prng.float() * 0.1;
    const events: { atMs: number; path: number; number: number }[] = [];
    for (let number = 0; number < 1_500; number++) {
      for (let copy = prng.float() < 0.05 ? 2 : 1; copy > 0; copy--) {
        const path = prng.int(0, 2);
        if (prng.float() >= loss) events.push({ atMs: number * 0.5 + (delays[path] ?? 0), path, number });
      }
    }
    events.sort((a, b) => a.atMs - b.atMs);
    const sent = new Set(events.map((event) => event.number));
    for (const { atMs, path, number } of events) {
      while (order.nextMs(atMs) <= atMs) order.tick(atMs);
      take(path, number, atMs);
    }
    order.tick(10_000);
    expect(slots.used, `seed ${seed}`).toBe(0);
    expect(new Set(out), `seed ${seed}`).toEqual(sent);
    expect(out.length, `seed ${seed}`).toBe(sent.size);
    let behind = 0;
    for (let i = 1; i < out.length; i++) if ((out[i] ?? 0) < (out[i - 1] ?? 0)) behind++;
    expect(behind, `seed ${seed}`).toBeLessThanOrEqual(order.late);
  }
});

test('nothing waits longer than the deadline, be there a second gap before it', () => {
  const { order, out, take } = bench();
  take(2, 0, 0);
  take(1, 30, 0);
  const deadlineMs = order.deadlineMs(0);
  // These came later and stand before it: their gap is younger.
  take(1, 20, deadlineMs - 10);
  for (let number = 1; number < 19; number++) take(2, number, deadlineMs - 5);
  expect(out).not.toContain(20);
  const dueMs = order.nextMs(deadlineMs - 5);
  expect(dueMs).toBe(order.deadlineMs(deadlineMs - 5));
  order.tick(dueMs);
  expect(out.slice(-2)).toEqual([20, 30]);
  expect(order.held).toBe(0);
});

test('whatever comes when: nothing is held longer than the deadline was at most', () => {
  const prng = new Prng(17);
  const { order, out, take } = bench(4_096);
  const waiting = new Map<number, number>();
  let delivered = 0;
  let longestMs = 0;
  for (let ms = 0, next = 0; ms < 60_000; ms += prng.int(1, 4)) {
    order.tick(ms);
    for (; delivered < out.length; delivered++) {
      longestMs = Math.max(longestMs, ms - (waiting.get(out[delivered]!) ?? ms));
    }
    // Some are lost, some come out of a heap of old ones.
    next += prng.int(1, 3);
    const number = prng.float() < 0.3 ? Math.max(0, next - prng.int(1, 200)) : next;
    if (!waiting.has(number)) waiting.set(number, ms);
    take(1 + (number % 3), number, ms);
  }
  expect(longestMs).toBeLessThanOrEqual(305);
  expect(new Set(out).size).toBe(out.length);
});
