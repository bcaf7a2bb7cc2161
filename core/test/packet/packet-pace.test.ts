import { expect, test } from 'vitest';

import { PacketPace, type RateKnown } from '../../src/packet/packet-pace.ts';

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

/** Bytes that leave in a second over a line of 100,000 bytes per second, a packet of 1,000 whenever one may. */
function second(pace: PacketPace, known: RateKnown, fromMs: number, most = Infinity): number {
  let bytes = 0;
  for (let ms = fromMs; ms < fromMs + 1_000; ms++) {
    while (pace.ready(100_000, known, most, ms)) {
      pace.spend(1_000);
      bytes += 1_000;
    }
  }
  return bytes;
}

test('a known line is sent a fifth more, an unknown one nearly three times, one that has run over what it carries', () => {
  expect(second(new PacketPace(), 'known', 0) / 120_000).toBeCloseTo(1, 1);
  expect(second(new PacketPace(), 'least', 0) / 289_000).toBeCloseTo(1, 1);
  expect(second(new PacketPace(), 'full', 0) / 100_000).toBeCloseTo(1, 1);
  expect(second(new PacketPace(), 'least', 0, 50_000) / 50_000).toBeCloseTo(1, 0);
});

test('what did not wait for its turn holds the others up for a moment only', () => {
  const pace = new PacketPace();
  pace.ready(100_000, 'known', Infinity, 0);
  for (let i = 0; i < 500; i++) pace.spend(1_000);
  expect(second(pace, 'known', 1)).toBeGreaterThan(100_000);
});
