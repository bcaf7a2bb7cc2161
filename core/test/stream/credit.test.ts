import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  creditFloorBytes,
  creditWindowBytesFirst,
  creditWindowBytesMax,
  receiveBudgetBytes,
} from '../../src/limits.ts';
import { CreditBudget, CreditWindow } from '../../src/stream/credit.ts';

const rttMs = 50;

test('a young stream may be sent its first window at once', () => {
  const window = new CreditWindow(new CreditBudget(receiveBudgetBytes), 0);
  expect(window.limit).toBe(creditWindowBytesFirst);
});

test('without a budget there is the floor, and it moves with what is consumed', () => {
  const window = new CreditWindow(new CreditBudget(0), 0);
  expect(window.limit).toBe(creditFloorBytes);
  expect(window.consume(creditFloorBytes, rttMs, 10)).toBe(true);
  expect(window.limit).toBe(2 * creditFloorBytes);
});

test('a window that is used up within a round trip doubles, to its maximum', () => {
  const window = new CreditWindow(new CreditBudget(receiveBudgetBytes * 100), 0);
  const widths: number[] = [];
  for (let nowMs = rttMs, consumed = 0; nowMs < 40 * rttMs; nowMs += rttMs) {
    consumed = window.limit;
    window.consume(consumed, rttMs, nowMs);
    widths.push(window.windowBytes);
  }
  expect(widths.slice(0, 4)).toEqual([2, 4, 8, 16].map((n) => n * creditWindowBytesFirst));
  expect(widths.at(-1)).toBe(creditWindowBytesMax);
});

test('a slow reader keeps its window', () => {
  const window = new CreditWindow(new CreditBudget(receiveBudgetBytes), 0);
  for (let nowMs = 0, consumed = 0; nowMs < 10_000; nowMs += 10) window.consume((consumed += 1_000), rttMs, nowMs);
  expect(window.windowBytes).toBe(creditWindowBytesFirst);
});

test('an idle window falls back, but not below what was granted', () => {
  const budget = new CreditBudget(receiveBudgetBytes);
  const window = new CreditWindow(budget, 0);
  let consumed = 0;
  for (let nowMs = rttMs; nowMs < 4 * rttMs; nowMs += rttMs) window.consume((consumed = window.limit), rttMs, nowMs);
  const wide = window.windowBytes;
  window.rest(4 * rttMs);
  expect(window.windowBytes).toBe(wide);
  window.rest(10_000);
  expect(window.windowBytes).toBe(Math.max(creditWindowBytesFirst, window.limit - consumed));
  expect(receiveBudgetBytes - budget.freeBytes).toBe(window.windowBytes - creditFloorBytes);
});

test('a crowd that uses nothing leaves a window for the next that does', () => {
  const budget = new CreditBudget(receiveBudgetBytes);
  for (let i = 0; i < 1_000; i++) new CreditWindow(budget, 0).rest(10_000);
  const window = new CreditWindow(budget, 10_000);
  for (let nowMs = 10_000; nowMs < 12_000; nowMs += rttMs) {
    const consumed = window.limit;
    window.receive(consumed, 0, rttMs, nowMs);
    window.consume(consumed, rttMs, nowMs);
  }
  // Enough for a hundred megabits a second over a hundred milliseconds, at least.
  expect(window.windowBytes).toBeGreaterThan(1_250_000);
});

type Step = readonly ['open' | 'consume' | 'rest' | 'release', number, number];

test('many streams on one budget: it is never overdrawn, limits never fall, and all comes back', () => {
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.tuple(
      fc.constantFrom('open' as const, 'consume' as const, 'rest' as const, 'release' as const),
      fc.nat(),
      fc.nat(600),
    ),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 8 * 1_048_576 }), (all, bytes) => {
      const budget = new CreditBudget(bytes);
      const windows: { window: CreditWindow; consumed: number }[] = [];
      let nowMs = 0;
      for (const [act, pick, waitMs] of all) {
        nowMs += waitMs;
        const one = windows[pick % Math.max(windows.length, 1)];
        if (act === 'open') windows.push({ window: new CreditWindow(budget, nowMs), consumed: 0 });
        else if (one && act === 'consume') {
          const before = one.window.limit;
          one.consumed += pick % (one.window.limit - one.consumed + 1);
          const told = one.window.consume(one.consumed, rttMs, nowMs);
          expect(one.window.limit > before).toBe(told);
          expect(one.window.limit - one.consumed).toBeLessThanOrEqual(one.window.windowBytes);
        } else if (one && act === 'rest') one.window.rest(nowMs);
        else if (one) {
          one.window.release();
          windows.splice(windows.indexOf(one), 1);
        }
        const lent = windows.reduce((sum, { window }) => sum + window.windowBytes - creditFloorBytes, 0);
        expect(budget.freeBytes).toBe(bytes - lent);
        expect(budget.freeBytes).toBeGreaterThanOrEqual(0);
        for (const { window } of windows) expect(window.windowBytes).toBeGreaterThanOrEqual(creditFloorBytes);
      }
      for (const { window } of windows) {
        window.release();
        window.release();
      }
      expect(budget.freeBytes).toBe(bytes);
    }),
  );
});

test('a sender that uses up every limit is never left without one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 300 }), (bytes, stepMs) => {
      const window = new CreditWindow(new CreditBudget(bytes), 0);
      for (let i = 1; i < 50; i++) expect(window.consume(window.limit, rttMs, i * stepMs)).toBe(true);
    }),
  );
});

test('what stands in the kernel for a reader that stopped is still lent', () => {
  const budget = new CreditBudget(receiveBudgetBytes);
  const window = new CreditWindow(budget, 0);
  window.consume(100_000, rttMs, 100);
  // All of the window has come since, and the reader has taken none of it.
  window.rest(10_000);
  expect(window.windowBytes).toBe(window.limit - 100_000);
  expect(receiveBudgetBytes - budget.freeBytes).toBe(window.windowBytes - creditFloorBytes);
});

/** Streams of readers that take whatever they are let, a round trip after the other; returns their windows. */
function greedy(windows: readonly CreditWindow[], fromMs: number, rounds: number): number[] {
  for (let i = 0; i < rounds; i++) {
    for (const window of windows) window.consume(window.limit, rttMs, fromMs + i * rttMs);
  }
  return windows.map(({ windowBytes }) => windowBytes);
}

test('where the budget is short those who came first fall to the share of those who came last', () => {
  const budget = new CreditBudget(8 * 1_048_576);
  const first = Array.from({ length: 5 }, () => new CreditWindow(budget, 0));
  expect(Math.min(...greedy(first, rttMs, 40))).toBeGreaterThan(creditWindowBytesFirst);
  const all = [...first, ...Array.from({ length: 95 }, () => new CreditWindow(budget, 2_100))];
  const widths = greedy(all, 2_200, 100);
  const fair = (8 * 1_048_576) / 100;
  expect(Math.min(...widths) - creditFloorBytes).toBeGreaterThan(0.5 * fair);
  expect(Math.max(...widths) - creditFloorBytes).toBeLessThan(1.5 * fair);
  expect(budget.freeBytes).toBeGreaterThanOrEqual(0);
});

test('when those who lacked are gone the others grow again', () => {
  const budget = new CreditBudget(8 * 1_048_576);
  const all = Array.from({ length: 100 }, () => new CreditWindow(budget, 0));
  greedy(all, rttMs, 100);
  for (const window of all.splice(1)) window.release();
  expect(greedy(all, 10_000, 100)[0]).toBeGreaterThan(2 * creditWindowBytesFirst);
});
