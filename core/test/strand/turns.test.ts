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
