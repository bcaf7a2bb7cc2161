import { expect, test } from 'vitest';

import { opensPerSecond, opensSavedS } from '../../src/limits.ts';
import { OpenAllowance } from '../../src/stream/open-allowance.ts';
import { ResetReason, StreamClass } from '../../src/wire/frame.ts';
import { SessionBench, target } from '../session/session-bench.ts';

/** How many of so many are let through at a time. */
const taken = (allowance: OpenAllowance, wanted: number, nowMs: number): number =>
  Array.from({ length: wanted }, () => allowance.take(nowMs)).filter(Boolean).length;

test('some at once, then so many a second', () => {
  const allowance = new OpenAllowance(100, 2, 0);
  expect(taken(allowance, 500, 0)).toBe(200);
  expect(taken(allowance, 500, 100)).toBe(10);
  expect(taken(allowance, 500, 105)).toBe(0);
  expect(taken(allowance, 500, 110)).toBe(1);
  expect(taken(allowance, 500, 60_000)).toBe(200);
});

test('an allowance below one a second lets one through at a time', () => {
  const allowance = new OpenAllowance(0.5, 1, 0);
  expect(taken(allowance, 2, 0)).toBe(1);
  expect([taken(allowance, 2, 1_900), taken(allowance, 2, 2_100)]).toEqual([0, 1]);
});

test('a relay connects as many streams as its allowance has, and resets the rest with a reason', () => {
  const bench = new SessionBench('relay');
  const strand = bench.strand(1);
  let next = 1;
  const open = (count: number): void => {
    for (let i = 0; i < count; i++, next += 2) {
      const id = next;
      expect(bench.hear(strand, (w) => w.open(id, StreamClass.bulk, [], target))).toBeUndefined();
    }
  };
  const burst = opensPerSecond * opensSavedS;
  open(burst + 3);
  expect(bench.connecting).toHaveLength(burst);
  expect(bench.frames('reset')).toEqual(
    [burst, burst + 1, burst + 2].map((n) => ['reset', 2 * n + 1, ResetReason.limit]),
  );
  bench.nowMs += 1_000;
  open(opensPerSecond + 10);
  expect(bench.connecting).toHaveLength(burst + opensPerSecond);
});
