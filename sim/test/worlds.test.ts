import { expect, test } from 'vitest';

import { runWorld } from '../src/index.ts';

const chosen = process.env['TRESSE_SEED'];
const worlds = Number(process.env['TRESSE_WORLDS'] ?? 400);
const seeds = chosen === undefined ? Array.from({ length: worlds }, (_, i) => i + 1) : [Number(chosen)];

test.each(seeds)('world %d: every byte in order, once, whatever happens to the lines', { timeout: 60_000 }, (seed) => {
  expect(runWorld(seed).seed).toBe(seed);
});

test('the same seed runs the same world', { timeout: 60_000 }, () => {
  for (const seed of seeds.slice(0, 3)) expect(runWorld(seed)).toEqual(runWorld(seed));
});
