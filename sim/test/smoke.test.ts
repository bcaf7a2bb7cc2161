import { expect, test } from 'vitest';

import { type PeerSpec, World } from '../src/index.ts';

const plain: PeerSpec = {
  bytes: 5_000_000,
  givesRate: Infinity,
  burstBytes: 65_536,
  givesAfterEnd: false,
  takesRate: Infinity,
  stallFromMs: Infinity,
  stallToMs: Infinity,
  resetsAtBytes: Infinity,
  resetsAtMs: Infinity,
};

test('one stream over three clean lines, both directions', () => {
  const line = { downBps: 50e6, upBps: 50e6, delayMs: 15, jitterMs: 0, lossRatio: 0, queueMs: 150 };
  const world = new World({
    seed: 1,
    lines: [line, { ...line, delayMs: 20 }, { ...line, delayMs: 10, downBps: 10e6 }],
    streams: [{ opensAtMs: 500, box: plain, relay: plain, connectMs: 10, refused: false, paths: [] }],
    socketBytes: 1_048_576,
    tickMs: 2,
  });
  const done = world.clock.run(60_000, () => world.settled);

  expect(done).toBe(true);
  expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: 5_000_000, ended: true, released: true });
  expect(world.flows[0]!.relay!.outcome).toMatchObject({ taken: 5_000_000, ended: true, released: true });
});
