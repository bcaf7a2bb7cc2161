import { limits, ResetReason } from '@tresse/core';
import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, promptPeer, type StreamSpec, World } from '../src/index.ts';

const line: LineSpec = {
  downBps: 20e6,
  upBps: 5e6,
  delayMs: 20,
  jitterMs: 0,
  lossRatio: 0,
  queueMs: 150,
};

function worldOf(lines: number, streams: readonly Partial<StreamSpec>[]): World {
  const plain = { opensAtMs: 1_000, box: asking, relay: giving(5e6), connectMs: 1, refused: false, paths: [] };
  return new World({
    seed: 1,
    lines: Array.from({ length: lines }, (_, i) => ({ ...line, delayMs: line.delayMs + 5 * i })),
    streams: streams.map((s) => ({ ...plain, ...s })),
    socketBytes: 1_048_576,
    tickMs: 2,
  });
}

const cutAll = (world: World): void => {
  for (const { path } of world.lines) world.line(path).cut();
};
const restoreAll = (world: World): void => {
  for (const { path } of world.lines) world.line(path).restore();
};

test.each([1, 2, 3])('%d lines fall silent together for ten seconds: the transfer goes on soon after', (lines) => {
  const world = worldOf(lines, [{}]);
  world.clock.run(1_500);
  cutAll(world);
  world.clock.run(11_500);
  const before = world.flows[0]!.box!.outcome.taken;
  restoreAll(world);
  world.clock.run(12_500);
  expect(world.flows[0]!.box!.outcome.taken).toBeGreaterThan(before + 500_000);
  expect(world.clock.run(30_000, () => world.settled)).toBe(true);
  expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: 5e6, ended: true, released: true });
});

test('without any line a stream ends with a reset on both sides; with a line again new ones go through', () => {
  const world = worldOf(2, [{}, { opensAtMs: limits.streamWithoutLineMs + 20_000, relay: giving(1e5) }]);
  world.clock.run(1_500);
  cutAll(world);
  world.clock.run(1_500 + limits.streamWithoutLineMs + 10_000);
  expect(world.flows[0]!.box!.outcome.reset).toBe(ResetReason.timeout);
  expect(world.flows[0]!.relay!.outcome.reset).toBe(ResetReason.timeout);
  expect([world.box.session.heldBytes, world.relay.session.heldBytes]).toEqual([0, 0]);
  restoreAll(world);
  expect(world.clock.run(limits.sessionWithoutStrandsMs, () => world.settled)).toBe(true);
  expect(world.flows[1]!.box!.outcome).toMatchObject({ taken: 1e5, ended: true, released: true });
  expect([world.box.pool.usedBytes, world.relay.pool.usedBytes]).toEqual([0, 0]);
});

test('after two minutes without strands both sides forget the session', () => {
  const world = worldOf(2, [{}]);
  world.clock.run(1_500);
  cutAll(world);
  world.clock.run(1_500 + limits.sessionWithoutStrandsMs + 10_000);
  expect([world.box.over, world.relay.over]).toEqual([true, true]);
  expect([world.box.pool.usedBytes, world.relay.pool.usedBytes]).toEqual([0, 0]);
});

test('a connection a NAT has forgotten is given up, and the line goes on with fresh ones', () => {
  const world = worldOf(1, [{ relay: giving(10e6) }]);
  world.clock.run(2_000);
  for (const connection of world.connections) if (connection.role !== 1) connection.swallow();
  world.flows[0]!.box!.outcome.gapMsMax = 0;
  world.clock.run(3_500);
  expect(world.flows[0]!.box!.outcome.gapMsMax).toBeLessThan(600);
  expect(world.clock.run(30_000, () => world.settled)).toBe(true);
  expect(world.box.session.counters.strandSuspicions + world.relay.session.counters.strandSuspicions).toBeGreaterThan(
    0,
  );
});

test('half-close: the answer comes after the question has ended', () => {
  const world = worldOf(2, [{ box: giving(1e5), relay: { ...promptPeer, bytes: 2e5, givesAfterEnd: true } }]);
  expect(world.clock.run(10_000, () => world.settled)).toBe(true);
  expect(world.flows[0]!.relay!.outcome).toMatchObject({ taken: 1e5, ended: true, released: true });
  expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: 2e5, ended: true, released: true });
});

test('a reader that stands still holds up its own stream only, within its window', () => {
  const stalled = { ...asking, takesRate: 1_000, stallFromMs: 0, stallToMs: 8_000 };
  const world = worldOf(2, [
    { box: stalled, relay: giving(4e6) },
    { opensAtMs: 1_100, relay: giving(4e6) },
  ]);
  expect(world.clock.run(4_500, () => world.flows[1]?.box?.outcome.ended === true)).toBe(true);
  const [waiting] = [...world.box.session.streams.values()];
  expect(waiting!.receive.heldBytes).toBeLessThanOrEqual(waiting!.credit.windowBytes);
  expect(world.clock.run(30_000, () => world.settled)).toBe(true);
});
