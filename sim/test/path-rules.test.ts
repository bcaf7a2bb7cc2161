import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, type PeerSpec, promptPeer, World } from '../src/index.ts';

const dsl: LineSpec = { downBps: 20e6, upBps: 20e6, delayMs: 15, jitterMs: 0, lossRatio: 0, queueMs: 1_000 };

function run(lines: readonly LineSpec[], box: PeerSpec, relay: PeerSpec, paths: readonly number[] = []): World {
  return new World({
    seed: 1,
    lines,
    streams: [{ opensAtMs: 1_000, box, relay, connectMs: 1, refused: false, paths }],
    socketBytes: 1_048_576,
    tickMs: 2,
  });
}

/** Bytes that a side has received over a line. */
const received = (world: World, side: 'box' | 'relay', path: number): number =>
  world[side].session.paths.get(path)?.bytesIn ?? 0;

test.each([
  ['down', 'box', asking, giving(20e6)],
  ['up', 'relay', { ...promptPeer, bytes: 20e6 }, promptPeer],
] as const)('a limit is kept to and used, %s', (_, side, box, relay) => {
  const world = run([{ ...dsl, limits: { downBps: 10e6, upBps: 10e6 } }], box, relay);
  world.clock.run(3_000);
  const before = received(world, side, 1);
  world.clock.run(13_000);
  const bps = ((received(world, side, 1) - before) * 8) / 10;
  expect(bps).toBeLessThan(10e6);
  expect(bps).toBeGreaterThan(9.2e6);
});

test('under a limit below the line the queue stays short, whatever the modem could hold', () => {
  const world = run([{ ...dsl, limits: { downBps: 18e6, upBps: 0 } }], asking, giving(20e6));
  let longestMs = 0;
  for (let ms = 2_000; ms < 8_000; ms += 10) {
    world.clock.run(ms);
    longestMs = Math.max(longestMs, world.line(1).down.queueMs(ms));
  }
  expect(longestMs).toBeLessThan(12);
});

test('a metered line carries next to nothing while another one does', () => {
  const world = run([dsl, { ...dsl, delayMs: 5, metered: true }], asking, giving(20e6));
  expect(world.clock.run(30_000, () => world.settled)).toBe(true);
  expect(received(world, 'box', 1)).toBeGreaterThan(20e6);
  expect(received(world, 'box', 2)).toBeLessThan(2_000);
  expect(received(world, 'relay', 2)).toBeLessThan(2_000);
});

test.each(['silence', 'carrier'] as const)(
  'by %s of the other one it takes over, at full rate, and gives back',
  (how) => {
    const world = run([dsl, { ...dsl, delayMs: 30, metered: true }], asking, giving(30e6));
    world.clock.run(3_000);
    const outcome = world.flows[0]!.box!.outcome;
    outcome.gapMsMax = 0;
    if (how === 'silence') world.line(1).cut();
    else world.carrier(1, false);
    world.clock.run(4_000);
    expect(outcome.gapMsMax).toBeLessThan(how === 'silence' ? 450 : 250);
    const before = received(world, 'box', 2);
    world.clock.run(6_000);
    expect(((received(world, 'box', 2) - before) * 8) / 2).toBeGreaterThan(0.9 * dsl.downBps);
    if (how === 'silence') world.line(1).restore();
    else world.carrier(1, true);
    world.clock.run(8_000);
    const after = received(world, 'box', 2);
    world.clock.run(10_000);
    expect(received(world, 'box', 2) - after).toBeLessThan(2_000);
    expect(world.clock.run(60_000, () => world.settled)).toBe(true);
    expect(outcome).toMatchObject({ taken: 30e6, released: true });
  },
);

test('a stream that is bound to a metered line uses it', () => {
  const world = run([dsl, { ...dsl, metered: true }], asking, giving(5e6), [2]);
  expect(world.clock.run(30_000, () => world.settled)).toBe(true);
  expect(received(world, 'box', 2)).toBeGreaterThan(5e6);
  expect(received(world, 'box', 1)).toBeLessThan(100_000);
});
