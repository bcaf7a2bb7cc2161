import { expect, test } from 'vitest';

import { microseconds, ReturnDelay } from '../../src/line/return-delay.ts';

/** Something every 20 ms from `fromMs` on, each delayed; the peer's clock is ahead. */
function hear(
  delay: ReturnDelay,
  fromMs: number,
  forMs: number,
  aheadMs: number,
  delayMs: (ms: number) => number,
): void {
  for (let ms = fromMs; ms < fromMs + forMs; ms += 20) delay.take(microseconds(ms - delayMs(ms) + aheadMs), ms);
}

test.each([0, 5_000, 3_600_000, 4_294_967, -700])(
  'whatever the clocks show, a queue of 30 ms is one (%d ms ahead)',
  (aheadMs) => {
    const delay = new ReturnDelay();
    const startMs = 10_000;
    hear(delay, startMs, 1_000, aheadMs, () => 22);
    expect(delay.queueMs(startMs + 1_000)).toBeCloseTo(0, 2);
    hear(delay, startMs + 1_000, 1_000, aheadMs, () => 52);
    expect(delay.queueMs(startMs + 2_000)).toBeCloseTo(30, 0);
    hear(delay, startMs + 2_000, 1_000, aheadMs, () => 22);
    expect(delay.queueMs(startMs + 3_000)).toBeCloseTo(0, 0);
  },
);

test('it is an average: one that comes late says little', () => {
  const delay = new ReturnDelay();
  hear(delay, 0, 2_000, 0, (ms) => (ms === 1_980 ? 62 : 22));
  expect(delay.queueMs(2_000)).toBeLessThan(10);
});

test('clocks that drift apart by 50 millionths make no queue of it', () => {
  const delay = new ReturnDelay();
  for (const sign of [1, -1]) {
    hear(delay, 0, 600_000, 0, (ms) => 22 + sign * ms * 50e-6);
    expect(delay.queueMs(600_000)).toBeLessThan(2);
  }
});

test('nothing heard for a second: nothing known', () => {
  const delay = new ReturnDelay();
  expect(delay.queueMs(0)).toBe(0);
  hear(delay, 0, 1_000, 0, (ms) => (ms < 500 ? 20 : 60));
  expect(delay.queueMs(1_000)).toBeGreaterThan(30);
  expect(delay.queueMs(2_100)).toBe(0);
});
