import type { PathStatus } from '@tresse/schema';
import { expect, test } from 'vitest';

import { bestPath, linePath, linesUp } from '../src/line-paths.ts';

const path = (number: number, uplink: string, state: string): PathStatus => ({
  path: number,
  uplink,
  state,
  rttMs: 10,
  minRttMs: 10,
  rateDownBps: number * 1000,
  rateUpBps: number * 10,
  estimateBps: 0,
  bytesIn: number,
  bytesOut: number,
  suspicions: 0,
  udp: 'open',
  strands: [],
});

const paths = [
  path(1, 'dsl', 'down'),
  path(2, 'dsl', 'up'),
  path(3, 'lte', 'suspect'),
  path(4, 'lte', 'down'),
  path(5, 'fibre', 'down'),
];

test('a line is as well as the best of its paths', () => {
  expect(['dsl', 'lte', 'fibre'].map((name) => bestPath(paths, name)?.path)).toEqual([2, 3, 5]);
  expect(bestPath(paths, 'other')).toBeUndefined();
});

test('a line carries what all its paths carry', () => {
  expect(linePath(paths, 'dsl')).toMatchObject({
    path: 2,
    state: 'up',
    rateDownBps: 3000,
    rateUpBps: 30,
    bytesIn: 3,
    bytesOut: 3,
  });
  expect(linePath(paths, 'other')).toBeUndefined();
});

test('lines are counted, not paths', () => {
  expect(linesUp([...paths, path(6, 'dsl', 'up'), path(7, 'lte', 'up')])).toBe(2);
  expect(linesUp([])).toBe(0);
});
