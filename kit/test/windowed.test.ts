import fc from 'fast-check';
import { expect, test } from 'vitest';

import { WindowedMax } from '../src/index.ts';

const windowMs = 900;

test('is never above the largest sample of the window, nor below the largest of its last two thirds', () => {
  const samples = fc.array(
    fc.record({ waitMs: fc.double({ min: 0, max: 400, noNaN: true }), value: fc.integer({ min: 1, max: 1_000 }) }),
    { maxLength: 100 },
  );
  fc.assert(
    fc.property(samples, (all) => {
      const max = new WindowedMax(windowMs);
      const seen: { atMs: number; value: number }[] = [];
      let nowMs = 0;
      for (const { waitMs, value } of all) {
        nowMs += waitMs;
        max.add(value, nowMs);
        seen.push({ atMs: nowMs, value });
        const within = (ms: number): number =>
          Math.max(0, ...seen.filter((s) => nowMs - s.atMs <= ms).map((s) => s.value));
        expect(max.get(nowMs)).toBeLessThanOrEqual(within(windowMs));
        expect(max.get(nowMs)).toBeGreaterThanOrEqual(within((windowMs * 2) / 3 - 1e-6));
      }
    }),
  );
});

test('forgets', () => {
  const max = new WindowedMax(windowMs);
  expect(max.get(0)).toBe(0);
  max.add(5, 0);
  expect(max.get(windowMs)).toBe(5);
  expect(max.get(windowMs + 1)).toBe(0);
  max.add(5, 2_000);
  max.reset();
  expect(max.get(2_000)).toBe(0);
});
