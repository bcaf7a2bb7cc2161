import { Prng } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type DirectionSpec, heldBytesMax, Link, plainDirection, queueLimitBytes } from '../src/index.ts';

interface Step {
  readonly waitMs: number;
  readonly act: 'offer' | 'poll' | 'rate' | 'delay' | 'loss' | 'cut' | 'restore';
  readonly bytes: number;
  readonly value: number;
}

interface Arrival {
  readonly number: number;
  readonly bytes: number;
  readonly atMs: number;
}

const specs: fc.Arbitrary<DirectionSpec> = fc.record({
  rateBps: fc.integer({ min: 50_000, max: 300_000_000 }),
  delayMs: fc.double({ min: 0, max: 300, noNaN: true }),
  jitterMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 50, noNaN: true })),
  lossRatio: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  queueMs: fc.integer({ min: 0, max: 1_000 }),
});

/** Of lines that also reorder, and have a hole in their MTU. */
const oddSpecs: fc.Arbitrary<DirectionSpec> = fc
  .tuple(
    specs,
    fc.record({
      reorderRatio: fc.double({ min: 0, max: 1, noNaN: true }),
      reorderMs: fc.double({ min: 0, max: 50, noNaN: true }),
      holeBytes: fc.integer({ min: 100, max: 1_500 }),
    }),
  )
  .map(([spec, odd]) => Object.assign(spec, odd));

const acts = ['offer', 'poll', 'rate', 'delay', 'loss', 'cut', 'restore'] as const;

function stepsOf(only: readonly Step['act'][]): fc.Arbitrary<Step[]> {
  const step = fc.record({
    waitMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 40, noNaN: true })),
    act: fc.oneof(
      { weight: 8, arbitrary: fc.constant('offer' as const) },
      { weight: 3, arbitrary: fc.constantFrom(...only) },
    ),
    bytes: fc.integer({ min: 28, max: 1_500 }),
    value: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  return fc.array(step, { maxLength: 200 });
}

/** Runs the steps; `onStep` sees the link after each. Returns the arrivals, the link drained. */
function play(link: Link, steps: readonly Step[], onStep: () => void = () => {}): Arrival[] {
  const sizes = new Map<number, number>();
  const arrivals: Arrival[] = [];
  const poll = (nowMs: number): void => {
    for (let number = link.poll(nowMs); number >= 0; number = link.poll(nowMs)) {
      arrivals.push({ number, bytes: sizes.get(number)!, atMs: link.arrivedAtMs });
    }
  };
  let nowMs = 0;
  for (const { waitMs, act, bytes, value } of steps) {
    nowMs += waitMs;
    if (act === 'offer') {
      const number = link.offer(bytes, nowMs);
      if (number >= 0) sizes.set(number, bytes);
    } else if (act === 'rate') link.set({ rateBps: 50_000 + value * 100_000_000 }, nowMs);
    else if (act === 'delay') link.set({ delayMs: value * 300 }, nowMs);
    else if (act === 'loss') link.set({ lossRatio: value }, nowMs);
    else if (act === 'restore') link.restore();
    else {
      poll(nowMs);
      if (act === 'cut') link.cut(nowMs);
    }
    onStep();
  }
  while (link.nextAtMs !== Infinity) poll(link.nextAtMs);
  return arrivals;
}

const seeds = fc.integer({ min: 0, max: 0xffff_ffff });

test('conserves packets: offered = delivered + dropped + held, after every step', () => {
  fc.assert(
    fc.property(fc.oneof(specs, oddSpecs), seeds, stepsOf(acts), (spec, seed, steps) => {
      const link = new Link(spec, new Prng(seed));
      const check = (): void => {
        const c = link.counters;
        const dropped = c.queueDrops + c.lossDrops + c.cutDrops + c.holeDrops;
        expect(c.deliveredPackets + dropped + link.heldPackets()).toBe(c.offeredPackets);
      };
      const arrivals = play(link, steps, check);
      expect(link.heldPackets()).toBe(0);
      expect(arrivals.length).toBe(link.counters.deliveredPackets);
      expect(arrivals.reduce((sum, a) => sum + a.bytes, 0)).toBe(link.counters.deliveredBytes);
    }),
  );
});

test('keeps order, whatever changes', () => {
  fc.assert(
    fc.property(specs, seeds, stepsOf(acts), (spec, seed, steps) => {
      const arrivals = play(new Link(spec, new Prng(seed)), steps);
      for (let i = 1; i < arrivals.length; i++) {
        expect(arrivals[i]!.number).toBeGreaterThan(arrivals[i - 1]!.number);
        expect(arrivals[i]!.atMs).toBeGreaterThanOrEqual(arrivals[i - 1]!.atMs);
      }
    }),
  );
});

test('never exceeds its rate over any window', () => {
  fc.assert(
    fc.property(specs, seeds, stepsOf(['poll', 'loss', 'cut', 'restore']), (spec, seed, steps) => {
      const steady = { ...spec, jitterMs: 0 };
      const arrivals = play(new Link(steady, new Prng(seed)), steps);
      let sentBytes = 0;
      const ahead = arrivals.map(({ bytes, atMs }) => {
        sentBytes += bytes;
        return (sentBytes * 8_000) / steady.rateBps - atMs;
      });
      // A window from i to j exceeds the rate where the sum sent gets further ahead of the clock.
      let lowest = Infinity;
      for (const ms of ahead) {
        expect(ms).toBeLessThanOrEqual(lowest + 1e-6);
        lowest = Math.min(lowest, ms);
      }
    }),
  );
});

test('bounds its queue and what it holds', () => {
  fc.assert(
    fc.property(fc.oneof(specs, oddSpecs), seeds, stepsOf(['poll', 'loss', 'cut', 'restore']), (spec, seed, steps) => {
      const link = new Link(spec, new Prng(seed));
      const sizes: number[] = [];
      let nowMs = 0;
      for (const { waitMs, act, bytes } of steps) {
        nowMs += waitMs;
        while (link.poll(nowMs) >= 0);
        if (act !== 'offer') continue;
        const number = link.offer(bytes, nowMs);
        if (number >= 0) sizes[number] = bytes;
        expect(link.waitingBytes).toBeLessThanOrEqual(queueLimitBytes(spec) + 1e-6);
        const held = sizes.slice(link.oldest, link.next).reduce((sum, b) => sum + b, 0);
        expect(held).toBeLessThanOrEqual(heldBytesMax(spec) + 1e-6);
      }
    }),
  );
});

test('is the same for the same seed, however often it is polled', () => {
  fc.assert(
    fc.property(fc.oneof(specs, oddSpecs), seeds, stepsOf(['poll', 'rate', 'delay', 'loss']), (spec, seed, steps) => {
      const often = play(new Link(spec, new Prng(seed)), steps);
      const seldom = play(
        new Link(spec, new Prng(seed)),
        steps.map((s): Step => (s.act === 'poll' ? { ...s, act: 'restore' } : s)),
      );
      expect(seldom).toEqual(often);
    }),
  );
});

test('reaches its rate under a load above it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100_000, max: 200_000_000 }),
      fc.integer({ min: 5, max: 500 }),
      (rateBps, queueMs) => {
        const link = new Link({ ...plainDirection, rateBps, queueMs, delayMs: 10 }, new Prng(1));
        const gapMs = (1_500 * 8_000) / rateBps / 1.5;
        for (let i = 0; i < 600; i++) link.offer(1_500, i * gapMs);
        while (link.poll(600 * gapMs) >= 0);
        const sentMs = 600 * gapMs - 10;
        expect((link.counters.deliveredBytes * 8_000) / rateBps).toBeGreaterThan(
          sentMs - (2 * 1_500 * 8_000) / rateBps,
        );
      },
    ),
    { numRuns: 30 },
  );
});
