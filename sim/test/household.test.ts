import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, World } from '../src/index.ts';

const line = (downMbit: number, upMbit: number, delayMs: number): LineSpec => ({
  downBps: downMbit * 1e6,
  upBps: upMbit * 1e6,
  delayMs,
  jitterMs: 0,
  lossRatio: 0,
  queueMs: 150,
});

const household = [line(8, 1, 15), line(40, 10, 22), line(100, 15, 18)];
const sumBps = 148e6;
const startMs = 1_000;
const cutMs = 3_000;

function download(bytes: number, lines: readonly LineSpec[] = household): World {
  return new World({
    seed: 1,
    lines,
    streams: [{ opensAtMs: startMs, box: asking, relay: giving(bytes), connectMs: 1, refused: false, paths: [] }],
    socketBytes: 4_194_304,
    tickMs: 2,
  });
}

const taken = (world: World): number => world.flows[0]!.box!.outcome.taken;

test('a download runs at the sum of the lines', () => {
  const world = download(100e6);
  world.clock.run(startMs + 1_000);
  const before = taken(world);
  expect(world.clock.run(60_000, () => taken(world) === 100e6)).toBe(true);
  const bps = ((100e6 - before) * 8_000) / (world.clock.nowMs - startMs - 1_000);
  expect(bps).toBeGreaterThan(0.97 * sumBps);
  expect(world.clock.run(world.clock.nowMs + 1_000, () => world.settled)).toBe(true);
});

test('an upload runs at the sum of the lines', () => {
  const world = new World({
    seed: 1,
    lines: household,
    streams: [{ opensAtMs: startMs, box: giving(15e6), relay: asking, connectMs: 1, refused: false, paths: [] }],
    socketBytes: 4_194_304,
    tickMs: 2,
  });
  world.clock.run(startMs + 1_000);
  const before = world.flows[0]!.relay!.outcome.taken;
  expect(world.clock.run(60_000, () => world.settled)).toBe(true);
  const bps = ((15e6 - before) * 8_000) / (world.clock.nowMs - startMs - 1_000);
  expect(bps).toBeGreaterThan(0.95 * 26e6);
});

for (const path of [1, 2, 3]) {
  test.each([
    ['silently', 250],
    ['by its carrier', 150],
  ])(
    `line ${path} dies %s: delivery pauses %d ms at most, and the line carries again after it is back`,
    (how, mostMs) => {
      const world = download(100e6);
      const silently = how === 'silently';
      world.clock.run(cutMs);
      world.flows[0]!.box!.outcome.gapMsMax = 0;
      if (silently) world.line(path).cut();
      else world.carrier(path, false);
      world.clock.run(cutMs + 1_500);
      expect(world.flows[0]!.box!.outcome.gapMsMax).toBeLessThanOrEqual(mostMs);
      if (silently) world.line(path).restore();
      else world.carrier(path, true);
      world.clock.run(cutMs + 2_500);
      const before = taken(world);
      world.clock.run(cutMs + 3_000);
      expect(((taken(world) - before) * 8_000) / 500).toBeGreaterThan(0.9 * sumBps);
      expect(world.clock.run(60_000, () => world.settled)).toBe(true);
      expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: 100e6, ended: true, released: true });
      expect([...world.box.violations, ...world.relay.violations]).toEqual([]);
    },
  );
}

function lastByteMs(lines: readonly LineSpec[]): number {
  const world = download(30_000, lines);
  world.clock.run(60_000, () => world.flows[0]?.box?.outcome.taken === 30_000);
  return world.clock.nowMs - startMs;
}

test('a small answer comes from the line that answers soonest, as fast as from that line alone', () => {
  const near = line(100, 100, 7);
  const far = line(20, 20, 100);
  expect(lastByteMs([near, far])).toBeLessThanOrEqual(lastByteMs([near]) * 1.05);
});

/** From the client's connect to the last byte at the server. */
function uploadMs(bytes: number, lines: readonly LineSpec[]): number {
  const world = new World({
    seed: 1,
    lines,
    streams: [{ opensAtMs: startMs, box: giving(bytes), relay: asking, connectMs: 1, refused: false, paths: [] }],
    socketBytes: 4_194_304,
    tickMs: 2,
  });
  world.clock.run(60_000, () => world.flows[0]?.relay?.outcome.taken === bytes);
  return world.clock.nowMs - startMs;
}

// More than a new stream may send: what comes after must not send the rest of its first credit over the far line.
test.each([30_000, 100_000])('an upload of %d bytes is not held up by a line far away', (bytes) => {
  const near = line(100, 20, 7);
  const far = line(20, 5, 100);
  expect(uploadMs(bytes, [near, far])).toBeLessThanOrEqual(uploadMs(bytes, [near]) * 1.05);
});
