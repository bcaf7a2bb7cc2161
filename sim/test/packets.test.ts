/** The packet lane over simulated lines: one flow has the sum, in order; a call beside it does not notice; nothing comes twice. */
import { Prng } from '@tresse/kit';
import { describe, expect, test } from 'vitest';

import { type Arrival, type DirectionSpec, type PacketLineSpec, PacketWorld, plainDirection } from '../src/index.ts';

const line = (
  downMbps: number,
  upMbps: number,
  delayMs: number,
  more: Partial<DirectionSpec> = {},
): PacketLineSpec => ({
  down: { ...plainDirection, rateBps: downMbps * 1e6, delayMs, ...more },
  up: { ...plainDirection, rateBps: upMbps * 1e6, delayMs, ...more },
});

const household = [line(8, 1, 17), line(40, 10, 8), line(100, 15, 6)];
const places: readonly (readonly [string, readonly PacketLineSpec[]])[] = [
  ['8 + 40 + 100', household],
  ['300 + 80', [line(300, 80, 5), line(80, 20, 15)]],
  ['50 near + 50 far', [line(50, 10, 4), line(50, 10, 75)]],
  ['30 + 30 that loses and shakes', [line(30, 10, 10), line(30, 10, 18, { lossRatio: 0.01, jitterMs: 15 })]],
];
const chosen = process.env['TRESSE_SEED'];
const seeds = chosen === undefined ? Array.from({ length: 200 }, (_, i) => i + 1) : [Number(chosen)];
/** Of an inner packet on the wire. */
const share = 1_400 / 1_467;

/** Packets that came behind a newer one of their flow. */
function behind(arrivals: readonly Arrival[]): number {
  let highest = -1;
  let count = 0;
  for (const { number } of arrivals) {
    if (number < highest) count++;
    highest = Math.max(highest, number);
  }
  return count;
}

const numbers = (arrivals: readonly Arrival[], flow: number): number[] =>
  arrivals.filter((arrival) => arrival.flow === flow).map((arrival) => arrival.number);

const p99 = (arrivals: readonly Arrival[]): number => {
  const delays = arrivals.map(({ atMs, sentMs }) => atMs - sentMs).toSorted((a, b) => a - b);
  return delays[Math.floor(delays.length * 0.99)] ?? Infinity;
};

describe.each(places)('one UDP flow at 95 %% of the sum: %s', (_, lines) => {
  test.each(['down', 'up'] as const)('%s', (direction) => {
    const world = new PacketWorld(5, lines);
    const [from, to] = direction === 'down' ? (['relay', 'box'] as const) : (['box', 'relay'] as const);
    const sum = lines.reduce((bps, one) => bps + one[direction].rateBps, 0);
    const bps = 0.95 * share * sum;
    world.flow(from, 1, 1_400, bps, 1_000, 7_000);
    world.clock.run(9_000);
    const { arrivals } = world[to];
    const sent = (bps * 6) / 11_200;
    expect(arrivals.length / sent).toBeGreaterThan(0.93);
    // Once all lines are known.
    const later = arrivals.filter((arrival) => arrival.sentMs > 3_000);
    expect(later.length / ((sent * 4) / 6)).toBeGreaterThan(0.95);
    expect(behind(arrivals) / arrivals.length).toBeLessThan(0.001);
    expect(new Set(arrivals.map((arrival) => arrival.number)).size).toBe(arrivals.length);
    for (const [i, one] of lines.entries()) {
      const { deliveredBytes, queueDrops } = world.link(from, i + 1).counters;
      expect(queueDrops, `line ${i + 1}`).toBeLessThan(60);
      expect(deliveredBytes, `line ${i + 1}`).toBeGreaterThan(one[direction].rateBps / 100);
    }
  });
});

test('a call beside floods both ways waits no longer than 20 ms more, and loses nothing', () => {
  const idle = p99(callBeside(0)[0]);
  for (const arrivals of callBeside(1.5)) {
    expect(p99(arrivals)).toBeLessThan(idle + 20);
    expect(new Set(arrivals.map((arrival) => arrival.number)).size).toBe(arrivals.length);
    expect(arrivals.length).toBeGreaterThanOrEqual(374);
  }
});

/** 50 packets a second of 172 bytes both ways, beside so much of the sum; what came at the box and at the relay, once it was known for a call. */
function callBeside(flood: number): [Arrival[], Arrival[]] {
  const world = new PacketWorld(5, household);
  if (flood > 0) {
    world.flow('relay', 1, 1_400, 148e6 * flood, 500, 10_000);
    world.flow('box', 2, 1_400, 26e6 * flood, 500, 10_000);
  }
  for (const side of ['box', 'relay'] as const) world.flow(side, 9, 172, 172 * 8 * 50, 600, 10_000);
  world.clock.run(11_000);
  return [calls(world.box.arrivals), calls(world.relay.arrivals)];
}

const calls = (arrivals: readonly Arrival[]): Arrival[] =>
  arrivals.filter((arrival) => arrival.flow === 9 && arrival.sentMs > 2_500);

test.each([1, 2, 3])(
  'line %i dies without a word: a call is heard again within 300 ms, and comes back to the line later',
  (which) => {
    const world = new PacketWorld(5, household);
    for (const side of ['box', 'relay'] as const) {
      world.flow(side, 9, 172, 172 * 8 * 50, 600, 12_000);
      const link = world.link(side, which);
      world.clock.at(4_000, () => link.cut(4_000));
      world.clock.at(7_000, () => link.restore());
    }
    world.clock.run(13_000);
    for (const { arrivals } of [world.box, world.relay]) {
      const came = arrivals.filter(({ sentMs }) => sentMs > 2_500);
      const gaps = came.slice(1).map(({ atMs }, i) => atMs - (came[i]?.atMs ?? 0));
      expect(Math.max(...gaps)).toBeLessThan(300);
    }
    for (const side of ['box', 'relay'] as const) {
      expect(world[side].paths.get(which)?.datagrams.answers(world.clock.nowMs)).toBe(true);
    }
  },
);

test('who floods does not fill the lines’ queues, and what it cannot have is dropped before it', () => {
  const world = new PacketWorld(5, household);
  world.flow('relay', 1, 1_400, 400e6, 500, 6_000);
  world.clock.run(8_000);
  const later = world.box.arrivals.filter((arrival) => arrival.atMs > 2_000 && arrival.atMs < 6_000);
  expect((later.length * 11_200) / 4 / (148e6 * share)).toBeGreaterThan(0.95);
  expect(p99(later)).toBeLessThan(320);
  expect(world.relay.lane.queue.dropped).toBeGreaterThan(10_000);
});

test('a line that halves and doubles is followed', () => {
  const world = new PacketWorld(5, [line(20, 5, 10), line(40, 10, 20)]);
  world.flow('relay', 1, 1_400, 80e6, 0, 15_000);
  world.clock.at(5_000, () => world.link('relay', 2).set({ rateBps: 20e6 }, 5_000));
  world.clock.at(10_000, () => world.link('relay', 2).set({ rateBps: 40e6 }, 10_000));
  world.clock.run(16_000);
  const rate = (fromMs: number, untilMs: number): number =>
    (world.box.arrivals.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs).length * 11.2e3) /
    (untilMs - fromMs) /
    1e3;
  expect(rate(3_000, 5_000) / (60 * share)).toBeGreaterThan(0.93);
  expect(rate(7_000, 10_000) / (40 * share)).toBeGreaterThan(0.93);
  expect(rate(13_000, 15_000) / (60 * share)).toBeGreaterThan(0.93);
});

/** Lines of any kind, and flows of any kind over them. */
function drawn(seed: number): { world: PacketWorld; flows: { from: 'box' | 'relay'; flow: number }[] } {
  const prng = new Prng(seed);
  const wild = (chance: number, value: () => number): number => (prng.float() < chance ? value() : 0);
  const lines = Array.from({ length: prng.int(1, 5) }, () => {
    const rate = 0.5 * 400 ** prng.float();
    return line(rate, Math.max(0.3, rate * prng.float()), prng.int(1, 150), {
      lossRatio: wild(0.3, () => prng.float() * 0.2),
      jitterMs: wild(0.3, () => prng.int(1, 30)),
      reorderRatio: wild(0.2, () => prng.float() * 0.05),
      reorderMs: prng.int(1, 20),
      queueMs: prng.int(20, 2_000),
    });
  });
  const world = new PacketWorld(seed, lines);
  const flows = Array.from({ length: prng.int(1, 6) }, (_, i) => {
    const from = prng.float() < 0.5 ? ('box' as const) : ('relay' as const);
    const bps = 20e3 * 1_000 ** prng.float();
    world.flow(from, i + 1, prng.int(60, 1_450), bps, prng.int(0, 500), 2_500);
    return { from, flow: i + 1 };
  });
  for (const i of lines.keys()) {
    if (prng.float() > 0.2) continue;
    const fromMs = prng.int(300, 1_500);
    for (const side of ['box', 'relay'] as const) {
      const link = world.link(side, i + 1);
      world.clock.at(fromMs, () => link.cut(fromMs));
      world.clock.at(fromMs + 400, () => link.restore());
    }
  }
  return { world, flows };
}

test.each(seeds)(
  'drawn lines and flows, seed %i: nothing twice, nothing for the wrong flow, nothing left behind',
  (seed) => {
    const { world, flows } = drawn(seed);
    world.clock.run(10_000);
    for (const { from, flow } of flows) {
      const came = numbers(world[from === 'box' ? 'relay' : 'box'].arrivals, flow);
      expect(new Set(came).size).toBe(came.length);
      expect(numbers(world[from].arrivals, flow)).toEqual([]);
    }
    for (const side of ['box', 'relay'] as const) {
      expect(world[side].lane.malformed).toBe(0);
      expect(world[side].lane.order.held).toBe(0);
      expect(world[side].slots.used).toBeLessThanOrEqual(1);
    }
  },
);
