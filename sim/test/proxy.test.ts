import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, promptPeer, World } from '../src/index.ts';

const line: LineSpec = { downBps: 20e6, upBps: 20e6, delayMs: 30, jitterMs: 0, lossRatio: 0, queueMs: 150 };

test.each([
  ['down', 'box', asking, giving(30e6)],
  ['up', 'relay', { ...promptPeer, bytes: 30e6 }, promptPeer],
] as const)('a proxy that dies and acknowledges on costs a pause and no byte, %s', (_, side, box, relay) => {
  const world = new World({
    seed: 1,
    lines: [line, { ...line, delayMs: 40 }],
    streams: [{ opensAtMs: 1_000, box, relay, connectMs: 1, refused: false, paths: [] }],
    socketBytes: 1_048_576,
    tickMs: 2,
  });
  world.clock.run(3_000);
  const outcome = world.flows[0]![side]!.outcome;
  outcome.gapMsMax = 0;
  world.proxy(2, false);
  world.clock.run(6_000);
  expect(world.relay.session.paths.get(2)!.suspect).toBe(true);
  expect(world.box.session.paths.get(2)!.suspect).toBe(true);
  expect(outcome.gapMsMax).toBeLessThan(800);
  world.proxy(2, true);
  world.clock.run(7_500);
  expect(world.relay.session.paths.get(2)!.usable).toBe(true);
  expect(world.box.session.paths.get(2)!.usable).toBe(true);
  const before = world[side].session.paths.get(2)!.bytesIn;
  world.clock.run(8_500);
  expect((world[side].session.paths.get(2)!.bytesIn - before) * 8).toBeGreaterThan(15e6);
  expect(world.clock.run(60_000, () => world.settled)).toBe(true);
  expect([...world.box.violations, ...world.relay.violations]).toEqual([]);
  expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: relay.bytes, released: true });
  expect(world.flows[0]!.relay!.outcome).toMatchObject({ taken: box.bytes, released: true });
});

test('what dies behind the proxies of all lines is noticed, and returns', () => {
  const proxy = { bps: 1e9, delayMs: 1 };
  const world = new World({
    seed: 1,
    lines: [
      { ...line, proxy },
      { ...line, delayMs: 40, proxy },
    ],
    streams: [{ opensAtMs: 1_000, box: asking, relay: giving(30e6), connectMs: 1, refused: false, paths: [] }],
    socketBytes: 1_048_576,
    tickMs: 2,
  });
  world.clock.run(3_000);
  for (const path of [1, 2]) world.proxy(path, false);
  world.clock.run(5_500);
  for (const { session } of [world.box, world.relay]) {
    expect([...session.paths.values()].map(({ suspect }) => suspect)).toEqual([true, true]);
  }
  for (const path of [1, 2]) world.proxy(path, true);
  expect(world.clock.run(60_000, () => world.settled)).toBe(true);
  expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: 30e6, released: true });
});

test('lines without a proxy are never taken for deaf', () => {
  const world = new World({
    seed: 1,
    lines: [line, { ...line, downBps: 2e6, upBps: 0.5e6, delayMs: 250, jitterMs: 40, lossRatio: 0.02 }],
    streams: [{ opensAtMs: 1_000, box: asking, relay: giving(20e6), connectMs: 1, refused: false, paths: [] }],
    socketBytes: 1_048_576,
    tickMs: 2,
  });
  const seen = new Set<boolean>();
  for (let ms = 1_000; ms < 15_000; ms += 50) {
    world.clock.run(ms);
    for (const end of [world.box, world.relay])
      for (const path of end.session.paths.values()) seen.add(path.recordsOnly);
  }
  expect([...seen]).toEqual([false]);
});
