import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { ReplayWindow, replayWindowBits } from '../../src/packet/replay-window.ts';

/** Takes a number if it is fresh; returns whether it was. */
function take(window: ReplayWindow, number: number): boolean {
  const fresh = window.fresh(number);
  if (fresh) window.mark(number);
  return fresh;
}

test('each number is taken once, in any order', () => {
  const window = new ReplayWindow();
  for (const number of [0, 5, 3, 5, 0, 4, 31, 32, 33, 32, 31]) {
    const seen = !window.fresh(number);
    expect(take(window, number)).toBe(!seen);
    expect(window.fresh(number)).toBe(false);
  }
  expect(window.highest).toBe(33);
  expect(take(window, 1)).toBe(true);
});

test('what is older than the window counts as seen', () => {
  const window = new ReplayWindow();
  take(window, 10);
  take(window, 10 + replayWindowBits);
  expect(window.fresh(10)).toBe(false);
  expect(window.fresh(11)).toBe(true);
  expect(take(window, 11)).toBe(true);
  expect(window.fresh(11)).toBe(false);
});

test('a leap forgets what lay before, and takes numbers near 2^45', () => {
  const window = new ReplayWindow();
  for (let i = 0; i < 100; i++) take(window, i);
  const far = 2 ** 45 - 1;
  expect(window.mark(far)).toBe(true);
  expect(window.fresh(99)).toBe(false);
  expect(window.fresh(far - 1)).toBe(true);
  expect(window.fresh(far)).toBe(false);
  expect(window.mark(far - 1)).toBe(false);
});

test('looking leaves no trace', () => {
  const window = new ReplayWindow();
  take(window, 100);
  expect(window.fresh(1_000_000)).toBe(true);
  expect(window.fresh(99)).toBe(true);
  expect(window.highest).toBe(100);
});

test('it agrees with a set', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -300, max: 20_000 }), { maxLength: 400 }), (steps) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let near = 0;
      for (const step of steps) {
        const number = Math.max(0, near + (step > 300 ? step : step % 300));
        near = Math.max(near, number);
        const known = seen.has(number) || Math.max(-1, ...seen) - number >= replayWindowBits;
        expect(take(window, number)).toBe(!known);
        seen.add(number);
      }
    }),
  );
});
