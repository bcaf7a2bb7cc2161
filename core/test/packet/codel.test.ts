import { expect, test } from 'vitest';

import { Codel } from '../../src/packet/codel.ts';

const targetMs = 5;

/** Packets of a queue that stands for so long, one every ms; returns when some were dropped. */
function dropped(codel: Codel, sojournMs: number, fromMs: number, forMs: number): number[] {
  const times: number[] = [];
  for (let ms = fromMs; ms < fromMs + forMs; ms++) if (codel.drops(sojournMs, targetMs, false, ms)) times.push(ms);
  return times;
}

test('a burst that is gone within an interval costs nothing', () => {
  const codel = new Codel(100);
  expect(dropped(codel, 50, 1_000, 90)).toEqual([]);
  expect(dropped(codel, 1, 1_090, 10)).toEqual([]);
  expect(dropped(codel, 50, 1_100, 90)).toEqual([]);
});

test('a queue that stands loses packets, more and more often', () => {
  const times = dropped(new Codel(100), 50, 1_000, 2_000);
  expect(times[0]).toBe(1_100);
  const gaps = times.slice(1).map((ms, i) => ms - (times[i] ?? 0));
  expect(gaps[0]).toBe(100);
  for (let i = 1; i < gaps.length; i++) expect(gaps[i]).toBeLessThanOrEqual((gaps[i - 1] ?? 0) + 1);
  expect(gaps.at(-1)).toBeLessThan(30);
});

test('it stops once the queue is short, and goes on nearly as it was', () => {
  const codel = new Codel(100);
  const before = dropped(codel, 50, 1_000, 2_000).length;
  expect(before).toBeGreaterThan(20);
  expect(dropped(codel, 1, 3_000, 50)).toEqual([]);
  const again = dropped(codel, 50, 3_050, 300);
  expect(again[0]).toBe(3_150);
  expect((again[1] ?? 0) - (again[0] ?? 0)).toBeLessThan(40);
});

test('the last packet is never dropped', () => {
  const codel = new Codel(100);
  for (let ms = 0; ms < 1_000; ms++) expect(codel.drops(400, targetMs, true, ms)).toBe(false);
});
