import fc from 'fast-check';
import { expect, test } from 'vitest';

import { fairLevel } from '../../src/index.ts';

const wishes = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 });
const given = (all: readonly number[], level: number): number =>
  all.reduce((sum, wish) => sum + Math.min(wish, level), 0);

test('all of the budget is given, and never more, unless all wishes fit', () => {
  fc.assert(
    fc.property(wishes, fc.integer({ min: 1, max: 20_000 }), (all, budget) => {
      const level = fairLevel(all, budget);
      const wanted = all.reduce((sum, wish) => sum + wish, 0);
      expect(given(all, level)).toBeCloseTo(Math.min(wanted, budget), 6);
      expect(level === Infinity).toBe(wanted <= budget);
    }),
  );
});

test('one who wants everything does not lower the share of the modest', () => {
  expect(fairLevel([10, 10, 1_000_000], 120)).toBe(100);
  expect(fairLevel([50, 60, 1_000_000], 120)).toBe(40);
  expect(fairLevel([], 120)).toBe(Infinity);
});
