import { expect, test } from 'vitest';

import { LaneShares } from '../../src/line/lane-shares.ts';

/** Both lanes send so much a second for two seconds. */
function after(strandsPerS: number, packetsPerS: number): LaneShares {
  const shares = new LaneShares();
  for (let ms = 0; ms <= 2_000; ms += 10) shares.update((strandsPerS * ms) / 1_000, (packetsPerS * ms) / 1_000, ms);
  return shares;
}

test('a lane alone has the whole pace', () => {
  expect(after(1_000, 0).strands(1_000)).toBe(1_000);
  expect(after(0, 1_000).packets(1_000)).toBe(1_000);
});

test('two that want all have half each', () => {
  const shares = after(1_000, 1_000);
  expect(shares.strands(1_000)).toBe(500);
  expect(shares.packets(1_000)).toBe(500);
});

test('one that wants little leaves the rest to the other', () => {
  const shares = after(800, 100);
  expect(shares.strands(1_000)).toBeCloseTo(900, 0);
  expect(shares.packets(1_000)).toBe(500);
});

test('who falls silent gives its part back within a quarter of a second', () => {
  const shares = after(500, 500);
  for (let ms = 2_010; ms <= 2_250; ms += 10) shares.update(1_000 + (ms - 2_000) / 2, 1_000, ms);
  expect(shares.strands(1_000)).toBeGreaterThan(950);
});
