import { expect, test } from 'vitest';

import { type Asked, wellAfterMs } from '../../src/measure/asking.ts';

/** Asked every 100 ms from 0 on, answered 20 ms later: `r` by the relay, `d` directly, `-` never. */
const asked = (outcomes: string): Asked[] =>
  Array.from(outcomes, (outcome, i) => ({
    beganMs: i * 100,
    answeredMs: outcome === '-' ? null : i * 100 + 20,
    wholeMs: outcome === '-' ? null : i * 100 + 20,
    from: { r: 'relay', d: 'line' }[outcome] ?? '',
    why: '',
  }));
const byRelay = (from: string): boolean => from === 'relay';

test('counts from the event to the first answer from which on all is well', () => {
  expect(wellAfterMs(asked('rrr--r-rrr'), 250, () => true)).toBe(470);
  expect(wellAfterMs(asked('rrddrdrrr'), 150, byRelay)).toBe(470);
  expect(wellAfterMs(asked('rrddrdrrr'), 150, () => true)).toBe(70);
});

test('what was asked before the event does not count', () => {
  expect(wellAfterMs(asked('--rr'), 150, () => true)).toBe(70);
});

test('is null where it never was well', () => {
  expect(wellAfterMs(asked('rrr-'), 50, () => true)).toBeNull();
  expect(wellAfterMs([], 0, () => true)).toBeNull();
});
