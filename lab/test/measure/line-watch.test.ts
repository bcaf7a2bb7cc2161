import { expect, test } from 'vitest';

import { bestRateBps, carryingAgainMs, firstLine, type LineSample } from '../../src/measure/line-watch.ts';

/** Samples every 20 ms of two lines whose rates in bytes per ms are given as functions of time. */
function samples(untilMs: number, rates: ((atMs: number) => number)[]): LineSample[] {
  const totals = rates.map(() => 0);
  const list: LineSample[] = [];
  for (let atMs = 0; atMs <= untilMs; atMs += 20) {
    list.push({ atMs, down: [...totals], up: rates.map(() => 0) });
    for (const [i, rate] of rates.entries()) totals[i] = (totals[i] ?? 0) + rate(atMs) * 20;
  }
  return list;
}

test('the stream began on the line that carried first', () => {
  const list = samples(200, [(at) => (at >= 60 ? 1_000 : 0), (at) => (at >= 40 ? 200 : 1)]);
  expect(firstLine(list, 'down', ['a', 'b'])).toBe('b');
  expect(firstLine(list, 'up', ['a', 'b'])).toBeUndefined();
});

test('a line carries again when more than probes has come', () => {
  const list = samples(3_000, [(at) => (at < 1_000 ? 1_000 : at < 2_200 ? 1 : 1_000)]);
  const again = carryingAgainMs(list, 'down', 0, 2_000);
  expect(again).toBeGreaterThanOrEqual(200);
  expect(again).toBeLessThanOrEqual(240);
});

test('a line that never carries again is told so', () => {
  const list = samples(3_000, [(at) => (at < 1_000 ? 1_000 : 0)]);
  expect(carryingAgainMs(list, 'down', 0, 2_000)).toBeUndefined();
});

test('the best half second counts, and only within the time', () => {
  const list = samples(6_000, [(at) => (at < 2_000 ? 0 : at < 3_000 ? 500 : 1_000)]);
  const rate = (withinMs: number): number => bestRateBps(list, 'down', 0, { sinceMs: 2_000, withinMs });
  expect(rate(1_000)).toBeCloseTo(4e6, -4);
  expect(rate(2_000)).toBeCloseTo(8e6, -4);
  expect(rate(400)).toBe(0);
});
