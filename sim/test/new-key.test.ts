import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, type PeerSpec, promptPeer, World } from '../src/index.ts';

const line: LineSpec = { downBps: 40e6, upBps: 10e6, delayMs: 15, jitterMs: 0, lossRatio: 0, queueMs: 100 };
const bytes = 120e6;

/** Two lines and one transfer; a handshake every so many ms. */
function run(keyEveryMs: number, box: PeerSpec, relay: PeerSpec): World {
  const world = new World({
    seed: 1,
    lines: [line, { ...line, delayMs: 40 }],
    streams: [{ opensAtMs: 500, box, relay, connectMs: 1, refused: false, paths: [] }],
    socketBytes: 1_048_576,
    tickMs: 2,
    strandOldMs: 500,
  });
  const renew = (): void => {
    world.renewKey();
    world.clock.at(world.clock.nowMs + keyEveryMs, renew);
  };
  world.clock.at(keyEveryMs, renew);
  world.clock.run(120_000, () => world.settled);
  return world;
}

/** Strands opened in all, by the highest number. */
const opened = (world: World): number => Math.max(...world.box.session.strands.keys());

test.each([
  ['down', asking, giving(bytes)],
  ['up', { ...promptPeer, bytes: bytes / 4 }, promptPeer],
])('keys that change every three seconds slow nothing down, %s', (_, box, relay) => {
  const still = run(Infinity, box, relay);
  const changing = run(3_000, box, relay);
  expect(opened(still)).toBeLessThan(10);
  expect(opened(changing)).toBeGreaterThan(20);
  for (const world of [still, changing]) {
    expect(world.settled).toBe(true);
    expect([...world.box.violations, ...world.relay.violations]).toEqual([]);
    expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: relay.bytes, released: true });
    expect(world.flows[0]!.relay!.outcome).toMatchObject({ taken: box.bytes, released: true });
  }
  expect(changing.clock.nowMs).toBeLessThan(still.clock.nowMs * 1.05);
  for (const side of ['box', 'relay'] as const) {
    const gapMs = (world: World): number => world.flows[0]![side]!.outcome.gapMsMax;
    expect(gapMs(changing)).toBeLessThan(gapMs(still) + 150);
  }
  expect(changing.box.session.counters.pathSuspicions + changing.relay.session.counters.pathSuspicions).toBe(0);
});
