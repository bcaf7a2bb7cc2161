/** Lines on which large datagrams vanish without a word: found, gone round, and used again when they pass. */
import { describe, expect, test } from 'vitest';

import { type Arrival, type DirectionSpec, type PacketLineSpec, PacketWorld, plainDirection } from '../src/index.ts';

const line = (mbps: number, delayMs: number, more: Partial<DirectionSpec> = {}): PacketLineSpec => ({
  down: { ...plainDirection, rateBps: mbps * 1e6, delayMs, ...more },
  up: { ...plainDirection, rateBps: mbps * 0.5e6, delayMs, ...more },
});
const open = 65_535;
/** IP and UDP headers of a datagram, bytes. */
const headers = 28;

/** The longest time in which nothing came, from a time to a time, ms. */
function longestGap(arrivals: readonly Arrival[], fromMs: number, untilMs: number): number {
  const times = arrivals.map(({ atMs }) => atMs).filter((ms) => ms >= fromMs && ms < untilMs);
  return [...times, untilMs].reduce((most, ms, i) => Math.max(most, ms - (times[i - 1] ?? fromMs)), 0);
}

const share = (arrivals: readonly Arrival[], fromMs: number, untilMs: number, sent: number): number =>
  arrivals.filter(({ sentMs }) => sentMs >= fromMs && sentMs < untilMs).length / sent;

const limit = (world: PacketWorld, path: number): number => world.relay.paths.get(path)?.datagrams.mtu.limitBytes ?? 0;

test('lines that pass all are known to within a round trip, and nothing goes in pieces after', () => {
  const world = new PacketWorld(3, [line(20, 10), line(20, 40)]);
  world.flow('relay', 1, 1_400, 20e6, 500, 2_000);
  world.clock.run(4_000);
  expect([limit(world, 1), limit(world, 2)]).toEqual([1_452, 1_452]);
  expect(world.relay.lane.split).toBe(0);
});

describe.each([
  ['one of two lines', [line(20, 10), line(20, 15)], 30e6, 2],
  ['one of two lines, lossy', [line(20, 10, { lossRatio: 0.02 }), line(20, 15, { lossRatio: 0.02 })], 25e6, 2],
  ['the only line', [line(20, 10)], 12e6, 1],
  ['the only line, far away', [line(20, 150)], 12e6, 1],
] as const)('a hole opens on %s', (_, lines, bps, path) => {
  test.each([1_400, 1_280, 1_000])('%i bytes pass', (holeBytes) => {
    const world = new PacketWorld(4, lines);
    world.flow('relay', 1, 1_400, bps, 500, 16_000);
    world.flow('relay', 2, 1_300, 100e3, 500, 16_000);
    const link = world.link('relay', path);
    world.clock.at(4_000, () => link.set({ holeBytes }, 4_000));
    world.clock.at(10_000, () => link.set({ holeBytes: open }, 10_000));
    world.clock.run(17_000);
    const flow = (which: number): Arrival[] => world.box.arrivals.filter((arrival) => arrival.flow === which);
    for (const which of [1, 2]) {
      expect(longestGap(flow(which), 1_500, 10_000), `flow ${which}`).toBeLessThan(
        lines[0].down.delayMs > 100 ? 1_800 : 700,
      );
    }
    // It is found within two seconds, and all that is sent arrives but for ordinary loss.
    const perS = bps / 11_200;
    expect(share(flow(1), 6_000, 10_000, 4 * perS)).toBeGreaterThan(0.94);
    expect(link.counters.holeDrops).toBeLessThan(2_500);
    expect(new Set(flow(1).map(({ number }) => number)).size).toBe(flow(1).length);
  });
});

test('the limit found is just under the hole, and a new try finds that it has gone', () => {
  const world = new PacketWorld(5, [line(20, 10)]);
  const link = world.link('relay', 1);
  link.set({ holeBytes: 1_400 }, 0);
  world.flow('relay', 1, 1_400, 2e6, 500, 80_000);
  world.clock.run(10_000);
  expect(limit(world, 1) + headers).toBeLessThanOrEqual(1_400);
  expect(limit(world, 1) + headers).toBeGreaterThan(1_380);
  expect(link.counters.holeDrops).toBeLessThan(20);
  link.set({ holeBytes: open }, 10_000);
  world.clock.run(75_000);
  expect(limit(world, 1)).toBe(1_452);
});

test('a packet now and then, too long for what passes now, is not lost for long', () => {
  const world = new PacketWorld(6, [line(20, 10)]);
  world.link('relay', 1).set({ holeBytes: 1_300 }, 0);
  const link = world.link('relay', 1);
  world.clock.at(2_000, () => link.set({ holeBytes: 1_200 }, 2_000));
  for (let ms = 1_000; ms < 10_000; ms += 1_000) world.clock.at(ms, () => world.give('relay', 1, ms, 1_240));
  world.clock.run(12_000);
  const came = new Set(world.box.arrivals.map(({ number }) => number));
  for (let ms = 4_000; ms < 10_000; ms += 1_000) expect(came.has(ms)).toBe(true);
});

test('ordinary loss is seldom taken for a hole', () => {
  const world = new PacketWorld(7, [line(20, 10, { lossRatio: 0.1 })]);
  world.flow('relay', 1, 1_400, 10e6, 500, 60_000);
  world.flow('relay', 2, 200, 80e3, 500, 60_000);
  world.clock.run(60_000);
  expect(world.relay.paths.get(1)?.datagrams.mtu.shrinks).toBeLessThan(3);
  expect(limit(world, 1)).toBe(1_452);
  expect(world.relay.lane.split).toBeLessThan(500);
});
