import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, World } from '../src/index.ts';

const plain: LineSpec = { downBps: 40e6, upBps: 10e6, delayMs: 15, jitterMs: 0, lossRatio: 0, queueMs: 150 };
/** The proxy stands at the far end of the line, next to the relay, and keeps whatever it is given. */
const behind: LineSpec = { ...plain, downBps: 20e6, upBps: 5e6, delayMs: 35, proxy: { bps: 1e9, delayMs: 0.1 } };

function download(seed: number, lines: readonly LineSpec[], opensAtMs: number, bytes: number): World {
  return new World({
    seed,
    lines,
    streams: [{ opensAtMs, box: asking, relay: giving(bytes), connectMs: 1, refused: false, paths: [] }],
    socketBytes: 4_194_304,
    tickMs: 2,
  });
}

/** Runs for so long; returns the share of the lines' sum that was taken meanwhile. */
function share(world: World, lines: readonly LineSpec[], forMs: number): number {
  const before = world.flows[0]!.box!.outcome.taken;
  world.clock.run(world.clock.nowMs + forMs);
  const sumBps = lines.reduce((sum, { downBps }) => sum + downBps, 0);
  return ((world.flows[0]!.box!.outcome.taken - before) * 8_000) / forMs / sumBps;
}

function endWell(world: World, bytes: number): void {
  expect(world.clock.run(world.clock.nowMs + 120_000, () => world.settled)).toBe(true);
  expect([...world.box.violations, ...world.relay.violations]).toEqual([]);
  expect(world.flows[0]!.box!.outcome).toMatchObject({ taken: bytes, ended: true, released: true });
  // What went twice is what a proxy that keeps megabytes would cost.
  expect(world.box.session.counters.bytesReceivedTwice).toBeLessThan(0.02 * bytes);
}

test.each<[string, number, LineSpec[]]>([
  ['one of two lines', 3_000, [plain, behind]],
  ['one of two lines, from the first moment', 0, [plain, behind]],
  ['both lines', 3_000, [{ ...plain, proxy: { bps: 1e9, delayMs: 2 } }, behind]],
  [
    'one of two lines, halfway, once known',
    250_000,
    [plain, { ...behind, delayMs: 15, proxy: { bps: 1e9, delayMs: 20 } }],
  ],
  ['the only line', 3_000, [behind]],
])('a healthy proxy on %s costs no rate and few copies', (_, opensAtMs, lines) => {
  for (const seed of [1, 2]) {
    const bytes = 40e6;
    const world = download(seed, lines, opensAtMs, bytes);
    world.clock.run(opensAtMs + 2_000);
    expect(share(world, lines, 2_000), `seed ${seed}`).toBeGreaterThan(0.9);
    endWell(world, bytes);
  }
});

test.each<[string, LineSpec]>([
  ['lossy line', { ...behind, lossRatio: 0.005, jitterMs: 10 }],
  ['satellite', { ...behind, delayMs: 290, queueMs: 800, proxy: { bps: 1e9, delayMs: 10 } }],
])('on a %s a download takes little longer through a proxy than without one, and no more copies', (_, line) => {
  const { proxy, ...bare } = line;
  const bytes = 40e6;
  const run = (second: LineSpec, seed: number): { tookMs: number; twice: number } => {
    const world = download(seed, [plain, second], 8_000, bytes);
    expect(world.clock.run(120_000, () => world.settled)).toBe(true);
    return { tookMs: world.clock.nowMs - 8_000, twice: world.box.session.counters.bytesReceivedTwice };
  };
  const sum = { through: 0, without: 0, throughTwice: 0, withoutTwice: 0 };
  const seeds = [1, 2, 3];
  for (const seed of seeds) {
    const [through, without] = [run(line, seed), run({ ...bare, delayMs: line.delayMs + (proxy?.delayMs ?? 0) }, seed)];
    sum.through += through.tookMs;
    sum.without += without.tookMs;
    sum.throughTwice += through.twice;
    sum.withoutTwice += without.twice;
  }
  expect(sum.through).toBeLessThan(1.15 * sum.without);
  expect(sum.throughTwice).toBeLessThan(Math.max(sum.withoutTwice, 0.02 * bytes * seeds.length));
});

test('an upload through a proxy has the rate of all lines', () => {
  const lines = [plain, behind];
  const world = new World({
    seed: 1,
    lines,
    streams: [{ opensAtMs: 3_000, box: giving(10e6), relay: asking, connectMs: 1, refused: false, paths: [] }],
    socketBytes: 4_194_304,
    tickMs: 2,
  });
  world.clock.run(4_000);
  const before = world.flows[0]!.relay!.outcome.taken;
  world.clock.run(6_000);
  expect(((world.flows[0]!.relay!.outcome.taken - before) * 4) / 15e6).toBeGreaterThan(0.9);
  expect(world.clock.run(60_000, () => world.settled)).toBe(true);
});

test('a small answer does not wait behind what a proxy keeps', () => {
  const lines = [plain, behind];
  const bytes = 60e6;
  const first = { opensAtMs: 3_000, box: asking, relay: giving(bytes), connectMs: 1, refused: false, paths: [] };
  const world = new World({
    seed: 1,
    lines,
    streams: [first, { ...first, opensAtMs: 6_000, relay: giving(30_000) }],
    socketBytes: 4_194_304,
    tickMs: 2,
  });
  expect(world.clock.run(7_000, () => world.flows[1]!.box?.outcome.taken === 30_000)).toBe(true);
  expect(world.clock.nowMs - 6_000).toBeLessThan(250);
});
