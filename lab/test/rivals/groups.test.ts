import { plainDirection } from '@tresse/sim';
import { expect, test } from 'vitest';

import { groupsOf } from '../../src/rivals/singles.ts';

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
