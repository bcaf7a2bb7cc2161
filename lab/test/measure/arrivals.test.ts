import { expect, test } from 'vitest';

import { Arrivals } from '../../src/measure/arrivals.ts';

/** So many bytes every so often. */
function steady(fromMs: number, toMs: number, everyMs: number, bytes: number): Arrivals {
  const arrivals = new Arrivals();
  for (let at = fromMs; at <= toMs; at += everyMs) arrivals.add(bytes, at);
  return arrivals;
}

test('goodput counts from the moment given to the last byte', () => {
  const arrivals = new Arrivals();
  arrivals.add(10, 500);
  for (let at = 1_010; at <= 3_000; at += 10) arrivals.add(1_250, at);
  expect(arrivals.rateFromBps(1_000)).toBeCloseTo((199 + 1) * 1_250 * 4, 0);
});

test('nothing after the moment is no rate', () => {
  const arrivals = steady(0, 500, 10, 1_000);
  expect(arrivals.rateFromBps(1_000)).toBe(0);
  expect(new Arrivals().rateFromBps(0)).toBe(0);
});

test('the longest gap is found with its beginning', () => {
  const arrivals = steady(0, 1_000, 10, 1);
  arrivals.add(1, 1_170);
  arrivals.add(1, 1_300);
  expect(arrivals.longestGap()).toEqual({ ms: 170, fromMs: 1_000 });
  expect(new Arrivals().longestGap().ms).toBe(0);
});

test('the longest gap between two moments counts its ends', () => {
  const arrivals = steady(0, 1_000, 10, 1);
  arrivals.add(1, 1_170);
  arrivals.add(1, 1_300);
  expect(arrivals.longestGapMs(205, 795)).toBe(10);
  expect(arrivals.longestGapMs(900, 1_100)).toBe(100);
  expect(arrivals.longestGapMs(1_050, 1_280)).toBe(120);
  expect(arrivals.longestGapMs(1_250, 2_000)).toBe(700);
  expect(new Arrivals().longestGapMs(0, 50)).toBe(50);
});

test('arrivals within one millisecond are one sample and lose no byte', () => {
  const arrivals = new Arrivals();
  for (let i = 0; i < 1_000; i++) arrivals.add(3, 7 + i / 1_000);
  expect(arrivals.toPairs()).toHaveLength(1);
  expect(arrivals.bytes).toBe(3_000);
});

test('bytes at any time', () => {
  const arrivals = steady(100, 300, 100, 5);
  expect([99, 100, 250, 300, 900].map((at) => arrivals.bytesAt(at))).toEqual([0, 5, 10, 15, 15]);
});

test('survives the way to another process', () => {
  const arrivals = steady(0, 50, 5, 3);
  const other = Arrivals.fromPairs(JSON.parse(JSON.stringify(arrivals.toPairs())) as [number, number][]);
  expect(other.toPairs()).toEqual(arrivals.toPairs());
  expect(other.bytes).toBe(arrivals.bytes);
});

test('the slowest second is one of the whole seconds asked for', () => {
  const arrivals = new Arrivals();
  for (const [second, bytes] of [10, 300, 200, 100, 400].entries()) arrivals.add(bytes, second * 1_000 + 500);
  arrivals.add(1, 5_200);
  expect(arrivals.slowestSecondBps(1_000)).toBe(800);
  expect(arrivals.slowestSecondBps(4_000)).toBe(3_200);
  // The last second is not whole.
  expect(arrivals.slowestSecondBps(5_000)).toBeUndefined();
});
