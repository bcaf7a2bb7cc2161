import { limits } from '@tresse/core';
import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, type PeerSpec, plainStream, type StreamSpec, World } from '../src/index.ts';

const plain: LineSpec = { downBps: 100e6, upBps: 20e6, delayMs: 25, jitterMs: 0, lossRatio: 0, queueMs: 100 };

function worldOf(lines: readonly LineSpec[], streams: readonly StreamSpec[], creditBytes?: number): World {
  return new World({
    seed: 1,
    lines,
    streams,
    socketBytes: 4_194_304,
    tickMs: 2,
    ...(creditBytes !== undefined && { creditBytes }),
  });
}

test.each([
  ['1 Gbit/s x 50 ms', { downBps: 1e9, upBps: 1e9, delayMs: 25, queueMs: 100 }, 2_000, 500, 0.95],
  ['1 Mbit/s x 600 ms', { downBps: 1e6, upBps: 1e6, delayMs: 300, queueMs: 800 }, 10_000, 20_000, 0.9],
] as const)('one stream has the full rate at %s, both ways', (_, spec, settledMs, forMs, shareMin) => {
  const line = { ...plain, ...spec };
  const bytes = 2 * (line.downBps / 8_000) * (settledMs + forMs);
  for (const down of [true, false]) {
    const world = worldOf([line], [plainStream(2_000, down ? asking : giving(bytes), down ? giving(bytes) : asking)]);
    const taken = (): number => (down ? world.flows[0]!.box : world.flows[0]!.relay)!.outcome.taken;
    world.clock.run(2_000 + settledMs);
    const before = taken();
    for (let ms = 0; ms < forMs; ms += 100) {
      world.clock.run(world.clock.nowMs + 100);
      const [sent] = world[down ? 'relay' : 'box'].session.streams.values();
      expect(sent!.creditLimit, 'credit left').toBeGreaterThan(sent!.send.next);
    }
    expect(((taken() - before) * 8_000) / forMs, down ? 'down' : 'up').toBeGreaterThan(shareMin * line.downBps);
  }
});

/** Takes what its socket takes, and nothing of that itself. */
const stalled: PeerSpec = { ...asking, takesRate: 1_000, stallFromMs: 0, stallToMs: Infinity };

test('a thousand stalled readers stay within the budget, lose nothing, and leave others theirs', () => {
  const lines = [plain, { ...plain, downBps: 40e6, delayMs: 15 }];
  const many = Array.from({ length: 1_000 }, (_, i) => plainStream(1_000 + 4 * i, stalled, giving(2_097_152)));
  const world = worldOf(lines, [...many, plainStream(12_000, asking, giving(60e6))]);
  const crowd = world.flows.slice(0, 1_000);
  for (let ms = 1_000; ms <= 12_000; ms += 100) {
    world.clock.run(ms);
    // The kernel keeps books on what stands in its queues.
    let held = world.box.pool.usedBytes;
    for (const { box } of crowd) held += (box?.unacknowledged ?? 0) * limits.memoryPerByte;
    expect(held, `at ${ms} ms`).toBeLessThan(limits.memoryBudgetBytes);
  }
  world.clock.run(13_000);
  const late = world.flows[1_000]!.box!;
  const before = late.outcome.taken;
  world.clock.run(15_000);
  expect(((late.outcome.taken - before) * 8_000) / 2_000).toBeGreaterThan(0.9 * 140e6);
  expect(world.box.session.streams.size).toBeGreaterThanOrEqual(1_000);
  expect(crowd.every(({ box }) => box!.outcome.reset === undefined)).toBe(true);
  expect([...world.box.violations, ...world.relay.violations]).toEqual([]);
});

test('where the budget is short all streams have their share, whoever came first', () => {
  const line = { ...plain, downBps: 200e6, delayMs: 50 };
  const streams = Array.from({ length: 60 }, (_, i) => plainStream(i < 5 ? 1_000 : 4_000, asking, giving(60e6)));
  const world = worldOf([line], streams, 1_048_576);
  world.clock.run(8_000);
  const before = world.flows.map(({ box }) => box!.outcome.taken);
  world.clock.run(14_000);
  const rates = world.flows.map(({ box }, i) => box!.outcome.taken - before[i]!).toSorted((a, b) => a - b);
  const median = rates[30]!;
  expect(rates[0]! / median).toBeGreaterThan(0.5);
  expect(rates[59]! / median).toBeLessThan(2);
});
