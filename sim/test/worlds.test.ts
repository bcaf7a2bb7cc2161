import { expect, test } from 'vitest';

import { runWorld } from '../src/index.ts';
import { testWorlds } from './seeds.ts';

const seeds = testWorlds(0);

test('the same seed runs the same world', { timeout: 60_000 }, () => {
  for (const seed of seeds.slice(0, 3)) expect(runWorld(seed)).toEqual(runWorld(seed));
});
