import { expect, test } from 'vitest';

import { runWorld } from '../src/index.ts';

const chosen = process.env['TRESSE_SEED'];
/** So many worlds in all, a half in each file. */
const worlds = Number(process.env['TRESSE_WORLDS'] ?? 2_000);

/** Runs the worlds of one half, or the one that `TRESSE_SEED` names. */
export function testWorlds(half: 0 | 1): readonly number[] {
  const count = Math.ceil(worlds / 2);
  const seeds = chosen === undefined ? Array.from({ length: count }, (_, i) => half * count + i + 1) : [Number(chosen)];
  test.each(seeds)(
    'world %d: every byte in order, once, whatever happens to the lines',
    { timeout: 60_000 },
    (seed) => {
      expect(runWorld(seed).seed).toBe(seed);
    },
  );
  return seeds;
}
