import { expect, test } from 'vitest';

import { drawBusyWorld, World } from '../src/index.ts';

const chosen = process.env['TRESSE_SEED'];
const seeds = chosen === undefined ? [1, 2, 3, 4, 5, 6] : [Number(chosen)];
const untilMs = 5_000;

const weathers = [
  ['saturated lines', { jitterMs: 0, lossRatio: 0, queueMs: 200 }],
  ['15 ms of jitter', { jitterMs: 15, lossRatio: 0, queueMs: 200 }],
  ['2 % of loss', { jitterMs: 0, lossRatio: 0.02, queueMs: 200 }],
  ['a second of buffers', { jitterMs: 0, lossRatio: 0, queueMs: 1_000 }],
] as const;

test.each(weathers.flatMap(([name, weather]) => seeds.map((seed) => ({ name, seed, weather }))))(
  '$name, seed $seed: no line is taken for dead',
  ({ seed, weather }) => {
    const world = new World(drawBusyWorld(seed, untilMs, weather));
    world.clock.run(untilMs);
    const alarms = [world.box, world.relay].map(({ session }) => session.counters.pathSuspicions);
    expect(alarms, `TRESSE_SEED=${seed} npx vitest run --project sim sim/test/calm.test.ts`).toEqual([0, 0]);
  },
);
