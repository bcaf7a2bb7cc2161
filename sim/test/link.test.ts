import { Prng, UserError } from '@tresse/kit';
import { describe, expect, test } from 'vitest';

import { type DirectionSpec, Link, plainDirection } from '../src/index.ts';

/** 1 Mbit/s: a packet of 1,250 bytes takes 10 ms. */
const slow: DirectionSpec = { ...plainDirection, rateBps: 1_000_000, delayMs: 20 };

function makeLink(change: Partial<DirectionSpec> = {}, seed = 1): Link {
  return new Link({ ...slow, ...change }, new Prng(seed));
}

/** Polls at the times the link asks for; returns the arrivals as [number, ms]. */
function drain(link: Link, untilMs = Infinity): [number, number][] {
  const arrivals: [number, number][] = [];
  while (link.nextAtMs <= untilMs && link.nextAtMs !== Infinity) {
    const atMs = link.nextAtMs;
    for (let n = link.poll(atMs); n >= 0; n = link.poll(atMs)) arrivals.push([n, link.arrivedAtMs]);
  }
  return arrivals;
}

describe('a packet', () => {
  test('arrives after its transmission and the propagation delay', () => {
    const link = makeLink();
    expect(link.offer(1_250, 100)).toBe(0);
    expect(link.poll(129.9)).toBe(-1);
    expect(link.poll(130)).toBe(0);
    expect(link.arrivedAtMs).toBe(130);
    expect(link.nextAtMs).toBe(Infinity);
  });

  test('waits for those before it', () => {
    const link = makeLink();
    for (let i = 0; i < 3; i++) link.offer(1_250, 0);
    expect(link.waitingBytes).toBe(2_500);
    expect(drain(link)).toEqual([
      [0, 30],
      [1, 40],
      [2, 50],
    ]);
  });

  test('is not sooner for a late poll, nor later for an early one', () => {
    const late = makeLink();
    late.offer(1_250, 0);
    late.offer(1_250, 0);
    expect([late.poll(500), late.arrivedAtMs, late.poll(500), late.arrivedAtMs]).toEqual([0, 30, 1, 40]);
  });
});

describe('the queue', () => {
  test('holds its time at the link rate beside the packet in transmission, and drops at the tail', () => {
    const link = makeLink({ queueMs: 100 });
    const numbers = Array.from({ length: 13 }, () => link.offer(1_250, 0));
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1, -1]);
    expect(link.counters.queueDrops).toBe(2);
    expect(link.offer(1_250, 10)).toBe(11);
    expect(link.offer(1_250, 10)).toBe(-1);
  });

  test('takes small packets where a large one no longer fits', () => {
    const link = makeLink({ queueMs: 25 });
    expect([1_250, 1_250, 1_250, 1_250, 40].map((bytes) => link.offer(bytes, 0))).toEqual([0, 1, 2, -1, 3]);
  });

  test('is never too short for the line to reach its rate', () => {
    const link = makeLink({ queueMs: 0 });
    expect([link.offer(1_500, 0), link.offer(1_500, 0), link.offer(1_500, 0)]).toEqual([0, 1, 2]);
  });

  test('accepts any packet while idle', () => {
    expect(makeLink({ queueMs: 0 }).offer(9_000, 0)).toBe(0);
  });
});

describe('a change', () => {
  test('of rate takes hold in the middle of a packet and for those waiting', () => {
    const link = makeLink();
    link.offer(1_250, 0);
    link.offer(1_250, 0);
    link.set({ rateBps: 500_000 }, 5);
    expect(drain(link)).toEqual([
      [0, 35],
      [1, 55],
    ]);
  });

  test('of delay leaves what is on the wire alone and keeps order', () => {
    const link = makeLink();
    link.offer(1_250, 0);
    link.offer(1_250, 0);
    link.set({ delayMs: 1 }, 15);
    expect(drain(link)).toEqual([
      [0, 30],
      [1, 30],
    ]);
  });

  test('of loss holds for what is not sent yet', () => {
    const link = makeLink();
    link.offer(1_250, 0);
    link.offer(1_250, 0);
    link.set({ lossRatio: 1 }, 15);
    expect(drain(link)).toEqual([[0, 30]]);
    expect(link.counters.lossDrops).toBe(1);
    expect(link.oldest).toBe(link.next);
  });

  test('to an impossible value is refused and changes nothing', () => {
    const link = makeLink();
    for (const bad of [
      { rateBps: 0 },
      { rateBps: Infinity },
      { delayMs: -1 },
      { lossRatio: 1.1 },
      { queueMs: Number.NaN },
      { jitterMs: -2 },
    ]) {
      expect(() => link.set(bad, 0)).toThrow(UserError);
    }
    expect(link.spec).toEqual(slow);
  });
});

describe('a cut', () => {
  test('loses what waits, what is in transmission and what is on the wire', () => {
    const link = makeLink();
    for (let i = 0; i < 4; i++) link.offer(1_250, 0);
    expect(link.poll(30)).toBe(0);
    link.cut(35);
    expect(link.counters).toMatchObject({ deliveredPackets: 1, cutDrops: 3 });
    expect([link.nextAtMs, link.heldPackets(), link.waitingBytes]).toEqual([Infinity, 0, 0]);
    expect(link.offer(1_250, 40)).toBe(-1);
    expect(link.counters.cutDrops).toBe(4);
  });

  test('ends with a line that behaves as new', () => {
    const link = makeLink();
    for (let i = 0; i < 4; i++) link.offer(1_250, 0);
    link.cut(5);
    link.restore();
    expect(link.offer(1_250, 50)).toBe(4);
    expect(drain(link)).toEqual([[4, 80]]);
  });
});

test('random loss takes its share, after transmission', () => {
  const link = makeLink({ lossRatio: 0.2, rateBps: 100_000_000 });
  const count = 20_000;
  let delivered = 0;
  for (let i = 0; i < count; i++) {
    link.offer(1_250, i);
    while (link.poll(i) >= 0) delivered++;
  }
  delivered += drain(link).length;
  expect(link.counters.lossDrops).toBe(count - delivered);
  expect(link.counters.lossDrops / count).toBeGreaterThan(0.18);
  expect(link.counters.lossDrops / count).toBeLessThan(0.22);
});

test('jitter wanders over its whole range and stays in it', () => {
  const link = makeLink({ jitterMs: 30, rateBps: 100_000_000 });
  const extra: number[] = [];
  for (let i = 0; i < 5_000; i++) {
    link.offer(1_250, i * 10);
    for (const [number, atMs] of drain(link, i * 10)) extra.push(atMs - number * 10 - 20 - 0.1);
  }
  expect(Math.min(...extra)).toBeGreaterThanOrEqual(-1e-9);
  expect(Math.max(...extra)).toBeLessThanOrEqual(30 + 1e-9);
  expect(Math.min(...extra)).toBeLessThan(3);
  expect(Math.max(...extra)).toBeGreaterThan(27);
});

describe('a longer way', () => {
  test('lets later packets overtake, and what it holds is not forgotten', () => {
    // Every packet strays at first, none later.
    const link = makeLink({ reorderRatio: 1, reorderMs: 25 });
    link.offer(1_250, 0);
    link.poll(10);
    link.set({ reorderRatio: 0 }, 10);
    for (let i = 0; i < 4; i++) link.offer(1_250, 10);
    expect(drain(link, 40)).toEqual([[1, 40]]);
    expect(link.oldest).toBe(0);
    expect(link.heldPackets()).toBe(4);
    expect(drain(link)).toEqual([
      [2, 50],
      [0, 55],
      [3, 60],
      [4, 70],
    ]);
    expect(link.oldest).toBe(link.next);
  });

  test('is taken by about the share told', () => {
    const link = makeLink({ rateBps: 1e9, queueMs: 1_000, reorderRatio: 0.1, reorderMs: 30 });
    for (let i = 0; i < 10_000; i++) link.offer(1_250, 0);
    const numbers = drain(link).map(([number]) => number);
    expect(numbers).toHaveLength(10_000);
    const overtaken = numbers.filter((number, i) => i > 0 && number < (numbers[i - 1] ?? 0)).length;
    // Those that stray at the end have nobody left to overtake them.
    expect(overtaken).toBeGreaterThan(500);
    expect(overtaken).toBeLessThan(1_000);
  });

  test('is cut with the line', () => {
    const link = makeLink({ reorderRatio: 1, reorderMs: 25 });
    link.offer(1_250, 0);
    link.poll(10);
    link.cut(20);
    expect(link.counters.cutDrops).toBe(1);
    expect(link.nextAtMs).toBe(Infinity);
  });
});

test('a hole in the MTU swallows what is larger, and only that', () => {
  const link = makeLink({ holeBytes: 1_300 });
  expect(link.offer(1_301, 0)).toBe(-1);
  expect(link.offer(1_300, 0)).toBe(0);
  expect(link.counters.holeDrops).toBe(1);
});
