import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Rekeying } from '../src/rekeying.ts';

const hour = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each([
  ['at the latest', 0, hour],
  ['at the earliest', 0.999_999, hour * 0.85],
])('a handshake is wanted an hour after the last one, %s', (_, chance, dueMs) => {
  vi.spyOn(Math, 'random').mockReturnValue(chance);
  const want = vi.fn();
  const rekeying = new Rekeying(undefined, want);
  rekeying.begin();
  vi.advanceTimersByTime(dueMs - 1_000);
  rekeying.begin();
  vi.advanceTimersByTime(dueMs - 1_000);
  expect(want).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_001);
  expect(want).toHaveBeenCalledTimes(1);
  // The next is counted from the handshake that follows.
  vi.advanceTimersByTime(5 * hour);
  expect(want).toHaveBeenCalledTimes(1);
});

test('after the end nothing is wanted; strands follow in a sixth of the time', () => {
  const want = vi.fn();
  const rekeying = new Rekeying(60_000, want);
  expect(rekeying.strandOldMs).toBe(10_000);
  expect(new Rekeying(undefined, want).strandOldMs).toBe(600_000);
  rekeying.begin();
  rekeying.stop();
  vi.advanceTimersByTime(hour);
  expect(want).not.toHaveBeenCalled();
});
