import { expect, test } from 'vitest';

import { runPacketWorld } from '../src/index.ts';

const chosen = process.env['TRESSE_SEED'];
/** So many worlds in all, a half in each file: two run side by side. */
const worlds = Number(process.env['TRESSE_WORLDS'] ?? 2_000);
/** As good as all of the possible is back in so many worlds; in the others, lines so far away that nobody can know yet are the rule. */
const wholeShare = 0.9;
const wholeWorlds = 0.95;

/** Runs the packet worlds of one half, or the one that `TRESSE_SEED` names. */
export function testPacketWorlds(half: 0 | 1): readonly number[] {
  const count = Math.ceil(worlds / 2);
  const seeds = chosen === undefined ? Array.from({ length: count }, (_, i) => half * count + i + 1) : [Number(chosen)];
  const shares: number[] = [];
  test.each(seeds)(
    'packet world %d: nothing twice, nothing of others, nothing held too long, no line overfed, and the rate is back',
    { timeout: 60_000 },
    (seed) => {
      shares.push(runPacketWorld(seed).share);
    },
  );
  if (chosen !== undefined) return seeds;
  test('and as good as all of it in nearly all worlds', () => {
    const whole = shares.filter((share) => share >= wholeShare).length;
    expect(whole / shares.length).toBeGreaterThan(wholeWorlds);
  });
  return seeds;
}
