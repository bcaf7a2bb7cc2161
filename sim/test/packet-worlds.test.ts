import { expect, test } from 'vitest';

import { runPacketWorld } from '../src/index.ts';
import { testPacketWorlds } from './packet-seeds.ts';

const seeds = testPacketWorlds(0);

test('the same seed runs the same packet world', { timeout: 60_000 }, () => {
  for (const seed of seeds.slice(0, 3)) expect(runPacketWorld(seed)).toEqual(runPacketWorld(seed));
});
