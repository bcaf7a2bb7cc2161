import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { drawBusyWorld, World } from '../src/index.ts';

const chosen = process.env['TRESSE_SEED'];
const seeds = chosen === undefined ? Array.from({ length: 16 }, (_, i) => i + 1) : [Number(chosen)];
const again = (seed: number): string => `TRESSE_SEED=${seed} npx vitest run --project sim sim/test/return.test.ts`;

/** A dead line is tried this often, ms; what is tried just before its return waits for the next one. */
const tryGapMs = 250;
/** From its first answer on, ms. */
const backMs = 500;
const stepMs = 2;
/** Streams larger than that are bulk; what a line carries besides is less than this in half a second. */
const bulkBytesMin = 1e6;
const aliveBytes = 4_000;

test.each(seeds)('seed %d: a line is in use again half a second after it answers', (seed) => {
  const world = new World(drawBusyWorld(seed, 9_000, { jitterMs: 0, lossRatio: 0, queueMs: 200 }));
  const prng = new Prng(seed);
  const path = prng.int(1, world.lines.length);
  const line = world.line(path);
  const silent = prng.chance(0.5);
  world.clock.run(2_000 + prng.int(0, 500));
  if (silent) line.cut();
  else world.carrier(path, false);
  world.clock.run(world.clock.nowMs + prng.int(1_000, 4_000));
  if (silent) line.restore();
  else world.carrier(path, true);
  const backAtMs = world.clock.nowMs;
  const rttMs = 2 * line.delayMs;
  const sides = [world.box, world.relay];
  const inUse = (): boolean =>
    sides.every(
      ({ session }) => session.paths.get(path)?.usable === true && session.paths.get(path)?.answered === true,
    );
  while (!inUse() && world.clock.nowMs < backAtMs + 5_000) world.clock.run(world.clock.nowMs + stepMs);
  expect(world.clock.nowMs - backAtMs, again(seed)).toBeLessThanOrEqual(tryGapMs + rttMs + backMs);
  // And it carries, more than word of its life where there is bulk.
  const bulk = Math.max(...world.flows.map(({ spec }) => Math.max(spec.box.bytes, spec.relay.bytes))) > bulkBytesMin;
  const carried = (): number => sides.reduce((sum, { session }) => sum + (session.paths.get(path)?.bytesIn ?? 0), 0);
  const before = carried();
  world.clock.run(world.clock.nowMs + backMs);
  expect(carried() - before, again(seed)).toBeGreaterThan(bulk ? aliveBytes : 0);
  expect([...world.box.violations, ...world.relay.violations], again(seed)).toEqual([]);
});
