import { expect, test } from 'vitest';

import { SourceAllowance } from '../src/worker/source-allowance.ts';

const taken = (allowance: SourceAllowance, source: string, nowMs: number): number => {
  let count = 0;
  while (allowance.take(source, nowMs)) count++;
  return count;
};

test('a burst, then so many a second; another source has its own', () => {
  const allowance = new SourceAllowance();
  expect(taken(allowance, 'a', 1_000)).toBe(64);
  expect(taken(allowance, 'b', 1_000)).toBe(64);
  expect(taken(allowance, 'a', 1_500)).toBe(8);
  expect(taken(allowance, 'a', 100_000)).toBe(64);
});

test('any number of sources costs no memory without end, and the busy ones stay known', () => {
  const allowance = new SourceAllowance();
  taken(allowance, 'busy', 1_000);
  for (let i = 0; i < 100_000; i++) {
    allowance.take(String(i), 1_000);
    if (i % 1_000 === 0) expect(allowance.take('busy', 1_000)).toBe(false);
  }
});
