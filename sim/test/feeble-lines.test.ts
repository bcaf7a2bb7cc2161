import { expect, test } from 'vitest';

import { giving, type LineSpec, promptPeer, World } from '../src/index.ts';

const upBps = 0.7e6;
const lines = [20, 32, 45].map((delayMs): LineSpec => ({
  downBps: 4.2e6,
  upBps,
  delayMs,
  jitterMs: 0,
  lossRatio: 0,
  queueMs: 1_000,
}));
const bytes = 3e6;

/** An upload over three feeble lines, to its end; `each` is called every 5 ms. */
function upload(each: (world: World, ms: number) => void): World {
  const world = new World({
    seed: 1,
    lines,
    streams: [
      { opensAtMs: 0, box: { ...promptPeer, bytes }, relay: giving(0), connectMs: 1, refused: false, paths: [] },
    ],
    socketBytes: 262_144,
    tickMs: 2,
  });
  for (let ms = 5; ms < 20_000 && !world.settled; ms += 5) {
    world.clock.run(ms);
    each(world, ms);
  }
  return world;
}

test('nobody knows the lines yet, and no queue is filled beyond what a modem holds', () => {
  let longestMs = 0;
  upload((world, ms) => {
    for (const id of [1, 2, 3]) longestMs = Math.max(longestMs, world.line(id).up.queueMs(ms));
  });
  expect(longestMs).toBeGreaterThan(20);
  expect(longestMs).toBeLessThan(200);
});

test('they are full all the time, and carry next to nothing twice', () => {
  const world = upload(() => undefined);
  expect(world.settled).toBe(true);
  const physicalMs = (bytes * 8_000) / (lines.length * upBps);
  expect(world.clock.nowMs).toBeLessThan(1.045 * physicalMs);
  expect(world.relay.session.counters.bytesReceivedTwice).toBeLessThan(0.01 * bytes);
});
