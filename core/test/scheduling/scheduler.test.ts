import fc from 'fast-check';
import { expect, test } from 'vitest';

import { EarliestArrival, type Line, othersFinishMs } from '../../src/scheduling/scheduler.ts';

const lines: fc.Arbitrary<Line[]> = fc.array(
  fc.record({
    open: fc.boolean(),
    unsentBytes: fc.nat(300_000),
    rate: fc.oneof(
      { weight: 1, arbitrary: fc.constant(0) },
      { weight: 9, arbitrary: fc.integer({ min: 5_000, max: 60_000_000 }) },
    ),
    delayMs: fc.double({ min: 0.1, max: 400, noNaN: true }),
  }),
  { minLength: 1, maxLength: 8 },
);
const remainings = fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 5_000_000 }));
const scheduler = new EarliestArrival();
const sizesOf = (all: readonly Line[]): number[] => all.map((l) => Math.min(64_512, Math.max(2_852, l.rate / 100)));
const startMs = (l: Line): number => (l.unsentBytes * 1_000) / l.rate + l.delayMs;
const arrivalMs = (l: Line, bytes: number): number => startMs(l) + (bytes * 1_000) / l.rate;

test('never a closed line, and of the open ones that where it arrives soonest', () => {
  fc.assert(
    fc.property(lines, remainings, (all, remaining) => {
      const sizes = sizesOf(all);
      const chosen = scheduler.choose(all, all.length, sizes, remaining);
      if (chosen < 0) return;
      const line = all[chosen]!;
      expect(line.open && line.rate > 0).toBe(true);
      const arrivals = all
        .map((l, i) => ({ l, ms: arrivalMs(l, Math.min(sizes[i]!, remaining)) }))
        .filter(({ l }) => l.open && l.rate > 0);
      expect(arrivalMs(line, Math.min(sizes[chosen]!, remaining))).toBe(Math.min(...arrivals.map((a) => a.ms)));
    }),
  );
});

test('waits only for a busy line that is better: with all lines open, one is always chosen', () => {
  fc.assert(
    fc.property(lines, remainings, (all, remaining) => {
      const open = all.map((l) => ({ ...l, open: true }));
      const chosen = scheduler.choose(open, open.length, sizesOf(open), remaining);
      expect(chosen >= 0).toBe(open.some((l) => l.rate > 0));
    }),
  );
});

test('while the source gives more, no open line is left out', () => {
  fc.assert(
    fc.property(lines, (all) => {
      const chosen = scheduler.choose(all, all.length, sizesOf(all), Infinity);
      expect(chosen >= 0).toBe(all.some((l) => l.open && l.rate > 0));
    }),
  );
});

test('a small rest stays with the line that answers soonest, even while that is busy', () => {
  const near: Line = { open: false, unsentBytes: 30_000, rate: 12_500_000, delayMs: 7 };
  const far: Line = { open: true, unsentBytes: 0, rate: 2_500_000, delayMs: 100 };
  const sizes = sizesOf([near, far]);
  expect(scheduler.choose([near, far], 2, sizes, 20_000)).toBe(-1);
  expect(scheduler.choose([{ ...near, open: true }, far], 2, sizes, 20_000)).toBe(0);
  expect(scheduler.choose([near, far], 2, sizes, 5_000_000)).toBe(1);
});

test('a small request over equal lines is sent at once', () => {
  const line: Line = { open: true, unsentBytes: 0, rate: 1_000_000, delayMs: 15 };
  expect(scheduler.choose([line, line, line], 3, sizesOf([line, line, line]), 300)).toBe(0);
});

test('when the others finish: against the solution by bisection', () => {
  fc.assert(
    fc.property(lines, fc.nat(7), fc.integer({ min: 1, max: 10_000_000 }), (all, pick, bytes) => {
      const except = pick % all.length;
      const others = all.filter((l, i) => i !== except && l.rate > 0);
      const finishMs = othersFinishMs(all, all.length, except, bytes);
      if (others.length === 0) {
        expect(finishMs).toBe(Infinity);
        return;
      }
      const by = (ms: number): number =>
        others.reduce((sum, l) => sum + (l.rate * Math.max(0, ms - startMs(l))) / 1_000, 0);
      let low = 0;
      let high = 1e9;
      for (let i = 0; i < 100; i++) {
        const middle = (low + high) / 2;
        if (by(middle) >= bytes) high = middle;
        else low = middle;
      }
      expect(finishMs).toBeCloseTo(high, 3);
    }),
  );
});
