import { expect, test } from 'vitest';

import { Burst } from '../../src/stream/burst.ts';

test('what comes without a pause adds up; after one, something new begins', () => {
  const burst = new Burst();
  for (let i = 0; i < 100; i++) burst.take(i * 10_000, true, i * 100);
  expect(burst.bytes(1_000_000)).toBe(1_000_000);
  burst.take(1_000_000, true, 10_150);
  expect(burst.bytes(1_020_000)).toBe(20_000);
});

test('a pause in which something was still under way is none', () => {
  const burst = new Burst();
  burst.take(0, true, 0);
  burst.take(500_000, false, 5_000);
  expect(burst.bytes(500_000)).toBe(500_000);
});
