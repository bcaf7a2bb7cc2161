import { expect, test } from 'vitest';

import { drawSizes } from '../../src/measure/page.ts';

const page = { objects: 120, bytes: [2_000, 300_000], total: [10_000_000, 12_000_000] } as const;

test('the objects of a page are the same for a seed, lie in their range and have the wanted sum', () => {
  for (const seed of [1, 2, 3]) {
    const sizes = drawSizes(page, seed);
    expect(sizes).toHaveLength(120);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(300_000);
    const sum = sizes.reduce((total, bytes) => total + bytes, 0);
    expect(sum).toBeGreaterThanOrEqual(10_000_000);
    expect(sum).toBeLessThanOrEqual(12_000_000);
    expect(drawSizes(page, seed)).toEqual(sizes);
  }
  expect(drawSizes(page, 1)).not.toEqual(drawSizes(page, 2));
});

test('every order of magnitude is as frequent as the others', () => {
  const sizes = drawSizes({ objects: 10_000, bytes: [1_000, 1_000_000], total: [0, 1e11] }, 1);
  const small = sizes.filter((bytes) => bytes < 10_000).length;
  const large = sizes.filter((bytes) => bytes >= 100_000).length;
  for (const third of [small, large]) expect(third / sizes.length).toBeCloseTo(1 / 3, 1);
});

test('a page that cannot be drawn is refused', () => {
  const impossible = { objects: 2, bytes: [1_000, 1_000], total: [3_000, 4_000] } as const;
  expect(() => drawSizes(impossible, 1)).toThrow(/hardly ever/u);
});
