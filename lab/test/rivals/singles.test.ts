import { plainDirection } from '@tresse/sim';
import { expect, test } from 'vitest';

import { rivalSettings } from '../../src/rivals/rivals.ts';
import { groupsOf, singleSecondsOf } from '../../src/rivals/singles.ts';

const lines = (...mbps: number[]): Parameters<typeof groupsOf>[0] =>
  mbps.map((rate) => {
    const direction = { ...plainDirection, rateBps: rate * 1e6, delayMs: 10 };
    return { down: direction, up: direction };
  });

test('slow lines are measured in groups, fast ones alone', () => {
  expect(groupsOf(lines(4.2, 4.2, 4.2))).toEqual([[0, 1, 2]]);
  expect(groupsOf(lines(10, 10, 10, 10, 10, 10, 10, 10))).toEqual([
    [0, 1, 2, 3, 4],
    [5, 6, 7],
  ]);
  expect(groupsOf(lines(8, 40, 100))).toEqual([[0, 1], [2]]);
  expect(groupsOf(lines(100, 4, 100))).toEqual([[0], [1], [2]]);
});

test('a slow line is measured for longer, within bounds', () => {
  const full = rivalSettings(false);
  expect(singleSecondsOf(100e6, full)).toBe(8);
  expect(singleSecondsOf(0.8e6, full)).toBe(15);
  expect(singleSecondsOf(0.1e6, full)).toBe(20);
  const short = rivalSettings(true);
  expect(singleSecondsOf(100e6, short)).toBe(2);
  expect(singleSecondsOf(0.8e6, short)).toBe(4);
  expect(singleSecondsOf(0.1e6, short)).toBe(5);
});
