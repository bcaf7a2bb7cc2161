import { expect, test } from 'vitest';

import { PacketPace } from '../../src/packet/packet-pace.ts';

/** 1 MB/s: a millisecond is worth 1,200 bytes at the gain of a line whose rate is known. */
const rate = 1_000_000;
const perMs = 1_200;

/** Spends packets of so many bytes as long as they may leave. Returns the bytes. */
function spendAll(pace: PacketPace, nowMs: number, bytes = 100): number {
  let spent = 0;
  for (let open = pace.ready(rate, 'known', Infinity, nowMs); open; { open } = pace) {
    pace.spend(bytes);
    spent += bytes;
  }
  return spent;
}

test('over time the rate and its gain leave, in steps of any size', () => {
  const pace = new PacketPace();
  spendAll(pace, 0);
  let spent = 0;
  for (let ms = 1; ms <= 1_000; ms += 1 + (ms % 7)) spent += spendAll(pace, ms);
  expect(spent).toBeGreaterThan(0.99 * 1_000 * perMs);
  expect(spent).toBeLessThan(1.01 * 1_000 * perMs);
});

test('what waits gets all of the time since, up to 10 ms; what comes after a pause only a few packets', () => {
  const pace = new PacketPace();
  spendAll(pace, 0);
  expect(pace.waitMs).toBeGreaterThan(0);
  expect(spendAll(pace, 8)).toBeGreaterThanOrEqual(8 * perMs - 100);
  expect(spendAll(pace, 1_000)).toBeLessThanOrEqual(10 * perMs + 100);

  expect(pace.ready(rate, 'known', Infinity, 1_009)).toBe(true);
  // Nobody waited from here on.
  expect(spendAll(pace, 2_000)).toBeLessThanOrEqual(6_000 + 100);
});

test('the bound on bulk holds whatever the line could carry', () => {
  const pace = new PacketPace();
  spendAll(pace, 0);
  let spent = 0;
  for (let ms = 1; ms <= 100; ms++) {
    for (let open = pace.ready(rate, 'least', 500_000, ms); open; { open } = pace) {
      pace.spend(100);
      spent += 100;
    }
  }
  expect(spent / 100).toBeLessThan(510);
});
