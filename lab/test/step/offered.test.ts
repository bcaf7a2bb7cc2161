import { expect, test } from 'vitest';

import { offeredBps } from '../../src/step/offered.ts';
import type { DoneEvent } from '../../src/step/step-events.ts';

const single = (uplink: string, bps: number): Parameters<typeof offeredBps>[0][number] => ({
  uplink,
  downBitsPerSecond: bps,
  upBitsPerSecond: bps / 10,
  downLineBitsPerSecond: bps,
  upLineBitsPerSecond: bps / 10,
});
const singles = [single('a', 8e6), single('b', 40e6)];
const happened = (
  atMs: number,
  line: string,
  effect: DoneEvent['effect'],
): Parameters<typeof offeredBps>[1][number] => ({
  atMs,
  line,
  effect,
});

test('whole lines offer their sum', () => {
  expect(offeredBps(singles, [], 'down', { fromMs: 0, toMs: 1_000 })).toBe(48e6);
  expect(offeredBps(singles, [], 'up', { fromMs: 0, toMs: 1_000 })).toBe(4.8e6);
  expect(offeredBps(singles, [], 'down', { fromMs: 1_000, toMs: 1_000 })).toBe(0);
});

test('a line offers nothing while it is dead, and what lies outside does not count', () => {
  const events = [
    happened(500, 'b', 'silent'),
    happened(1_500, 'b', 'returned'),
    happened(1_600, 'b', 'changed'),
    happened(2_000, 'b', 'no carrier'),
    happened(2_500, 'b', 'returned'),
    happened(4_500, 'b', 'silent'),
  ];
  // Dead for 0.5 + 0.5 + 0.5 of the four seconds.
  expect(offeredBps(singles, events, 'down', { fromMs: 1_000, toMs: 5_000 })).toBeCloseTo(8e6 + 40e6 * (2.5 / 4));
});
