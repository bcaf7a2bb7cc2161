import { expect, test } from 'vitest';

import { RoundTripRate } from '../../src/line/round-trip-rate.ts';

test('what was acknowledged over the better of two round trips', () => {
  const acked = new RoundTripRate();
  expect(acked.update(10_000, 50, 1_000)).toBe(0);
  expect(acked.update(12_000, 50, 1_020)).toBe(0);
  expect(acked.update(20_000, 50, 1_050)).toBe(200_000);
  expect(acked.update(20_000, 50, 1_090)).toBe(200_000);
  expect(acked.update(20_000, 50, 1_100)).toBe(200_000);
  expect(acked.update(20_000, 50, 1_150)).toBe(0);
});

test('a connection that has gone takes its count along, not the rate below nothing', () => {
  const acked = new RoundTripRate();
  acked.update(50_000, 50, 1_000);
  expect(acked.update(10_000, 50, 1_100)).toBe(0);
});
