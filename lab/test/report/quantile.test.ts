import { expect, test } from 'vitest';

import { quantile } from '../../src/report/quantile.ts';

test('is the nearest rank, a value that was seen', () => {
  const twenty = Array.from({ length: 20 }, (_, i) => 20 - i);
  expect(quantile(twenty, 0.5)).toBe(10);
  expect(quantile(twenty, 0.95)).toBe(19);
  expect(quantile(twenty, 0.951)).toBe(20);
  expect(quantile(twenty, 1)).toBe(20);
  expect(quantile([7], 0.05)).toBe(7);
});

test('is null where it falls on what never came, or on nothing', () => {
  expect(quantile([1, Infinity, 2], 0.5)).toBe(2);
  expect(quantile([1, Infinity, 2], 0.95)).toBeNull();
  expect(quantile([], 0.5)).toBeNull();
});
