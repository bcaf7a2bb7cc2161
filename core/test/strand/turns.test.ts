import { expect, test } from 'vitest';

import { Strand } from '../../src/strand/strand.ts';
import { lags, squeezed, Turns } from '../../src/strand/turns.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { idleInfo } from '../idle-info.ts';

/** Two bulk strands of a path: the first carries. */
function two(): { turns: Turns; first: Strand; second: Strand } {
  const [first, second] = [1, 2].map((id) => new Strand(id, 1, StrandRole.bulk, 'answered', 0)) as [Strand, Strand];
  for (const strand of [first, second]) strand.update({ ...idleInfo, windowBytes: 100_000 }, 0);
  const turns = new Turns([first, second], true);
  expect(turns.next(0, false)).toBe(first);
  return { turns, first, second };
}

/** More stands unsent than a quarter of a window's time. */
const slow = {
  ...idleInfo,
  bytesAcked: 1,
  windowBytes: 100_000,
  unackedSegments: 10,
  segmentsInFlight: 10,
  unsentBytes: 40_000,
};

test('a strand that is given more than it lets go is helped where the line could carry far more', () => {
  const { turns, first, second } = two();
  first.update(slow, 2_000);
  expect(lags(first)).toBe(true);
  expect(turns.next(2_000, false)).toBe(first);
  expect(turns.next(2_000, true)).toBe(second);
  expect(turns.carrying).toBe(first);
});

test('a sibling takes its turn while it is new, or knows the line as well', () => {
  const { turns, first, second } = two();
  expect(turns.next(7_001, false)).toBe(second);
  expect(turns.next(14_002, false)).toBe(first);
  second.update({ ...idleInfo, windowBytes: 49_000 }, 15_000);
  expect(turns.next(21_003, false)).toBe(first);
  second.update({ ...idleInfo, windowBytes: 51_000 }, 22_000);
  expect(turns.next(22_000, false)).toBe(second);
});

test('one that has unlearnt the rate gives its turn back, after a while in which it might have learnt it', () => {
  const { turns, first, second } = two();
  second.update({ ...idleInfo, windowBytes: 14_480 }, 100);
  expect(turns.next(7_001, false)).toBe(second);
  expect(turns.next(8_001, false)).toBe(second);
  expect(turns.next(8_002, false)).toBe(first);
  // What a loss took from its window for a moment is not forgotten.
  first.update({ ...idleInfo, windowBytes: 100_000 }, 9_900);
  first.update({ ...idleInfo, windowBytes: 20_000 }, 10_000);
  second.update({ ...idleInfo, windowBytes: 45_000 }, 10_000);
  expect(turns.next(10_000, false)).toBe(first);
  expect(turns.next(13_100, false)).toBe(second);
});

test('the quick strand helps where the line is given too little, unless bulk is held back on purpose', () => {
  const quick = new Strand(9, 1, StrandRole.quick, 'answered', 0);
  const bulk = new Strand(1, 1, StrandRole.bulk, 'answered', 0);
  quick.update({ ...idleInfo, windowBytes: 100_000 }, 0);
  bulk.update(slow, 0);
  const turns = new Turns([quick, bulk], true);
  turns.next(0, false);
  expect(turns.next(2_000, false)).toBe(bulk);
  expect(turns.next(2_000, true)).toBe(quick);
  bulk.paceBytesPerSecond = 1_000_000;
  expect(turns.next(2_000, true)).toBe(bulk);
});

test('nobody helps one that is held back on purpose, nor one that lags as much', () => {
  const { turns, first, second } = two();
  first.update(slow, 2_000);
  first.paceBytesPerSecond = 1_000_000;
  expect(turns.next(2_000, true)).toBe(first);
  first.paceBytesPerSecond = Infinity;
  second.update(slow, 2_000);
  expect(turns.next(2_000, true)).toBe(first);
});

test('through a proxy what stands unsent is the proxy’s doing', () => {
  const { first } = two();
  first.update(slow, 2_000);
  first.recordsOnly = true;
  expect(lags(first)).toBe(false);
});

test('a window of four segments is a search for a lower round trip only while something is on its way', () => {
  const { first } = two();
  first.update({ ...idleInfo, windowBytes: 4 * 1_448, unackedSegments: 3 }, 10);
  expect(squeezed(first)).toBe(true);
  first.update({ ...idleInfo, windowBytes: 4 * 1_448 }, 20);
  expect(squeezed(first)).toBe(false);
});
