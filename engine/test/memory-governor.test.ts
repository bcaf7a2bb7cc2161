import { expect, test } from 'vitest';

import { type Holder, memoryBudget, MemoryGovernor } from '../src/worker/memory-governor.ts';

const mebi = 1_048_576;

/** A session of streams of so many MiB; those that were ended are gone from it. */
class Session implements Holder {
  readonly ownBytes = 0;
  readonly streams: number[];

  constructor(...streams: number[]) {
    this.streams = streams;
  }

  held(): { bytes: number; end: () => void }[] {
    return this.streams.map((size) => ({
      bytes: size * mebi,
      end: () => void this.streams.splice(this.streams.indexOf(size), 1),
    }));
  }
}

test('within the budget nobody loses anything', () => {
  const governor = new MemoryGovernor(100 * mebi);
  const sessions = [new Session(30, 30), new Session(40)];
  expect(governor.look(sessions)).toEqual([]);
  expect(governor.heldBytes).toBe(100 * mebi);
});

test('the greedy lose their largest streams, the modest nothing', () => {
  const governor = new MemoryGovernor(100 * mebi);
  const greedy = new Session(10, 50, 20, 1, 60);
  const modest = new Session(15, 5);
  expect(governor.look([modest, greedy])).toEqual([greedy]);
  expect(modest.streams).toEqual([15, 5]);
  expect(greedy.streams).toEqual([10, 20, 1]);
  expect(governor.streamsShed).toBe(2);
  expect(governor.look([modest, greedy])).toEqual([]);
});

test('a crowd of equals shares, whatever each asks', () => {
  const governor = new MemoryGovernor(100 * mebi);
  const sessions = Array.from({ length: 10 }, () => new Session(10, 10));
  governor.look(sessions);
  for (const { streams } of sessions) expect(streams).toEqual([]);
  expect(memoryBudget()).toBeGreaterThanOrEqual(128 * mebi);
});

test('while much may be held, by the last look or by what is in use here, the next look must not wait', () => {
  const governor = new MemoryGovernor(100 * mebi);
  expect(governor.near(25 * mebi)).toBe(false);
  expect(governor.near(26 * mebi)).toBe(true);
  governor.look([new Session(20, 6)]);
  expect(governor.near(0)).toBe(true);
  governor.look([]);
  expect(governor.near(0)).toBe(false);
});
