import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { datagramBytesMax, PathMtu } from '../../src/packet/path-mtu.ts';

const rttMs = 40;
const baseBytes = 1_200;

/** Sends what is due over a path that passes so many bytes, and hears of it a round trip later; returns the probes sent. */
function search(mtu: PathMtu, passes: number, fromMs: number, untilMs: number, loss = 0): number[] {
  const prng = new Prng(5);
  const probes: number[] = [];
  let number = fromMs * 10;
  for (let ms = fromMs; ms < untilMs; ms += rttMs) {
    if (mtu.probeDueMs(rttMs) > ms) continue;
    const bytes = mtu.probeBytes;
    probes.push(bytes);
    mtu.probed(number, bytes, ms);
    const comes = bytes <= passes && prng.float() >= loss;
    number += 2;
    mtu.take(number - 1, comes ? bytes : 33, rttMs, ms + rttMs);
  }
  return probes;
}

test('the largest is tried first, and no more where it passes', () => {
  const mtu = new PathMtu();
  expect(mtu.limitBytes).toBe(baseBytes);
  expect(mtu.settled).toBe(false);
  expect(search(mtu, 9_000, 0, 10_000)).toEqual([datagramBytesMax]);
  expect(mtu.limitBytes).toBe(datagramBytesMax);
  expect(mtu.probeDueMs(rttMs)).toBe(Infinity);
});

test.each([1_205, 1_232, 1_372, 1_392, 1_412, 1_432, 1_444, 1_451])(
  '%i bytes are found, and never exceeded',
  (passes) => {
    const mtu = new PathMtu();
    const probes = search(mtu, passes, 0, 20_000);
    expect(mtu.settled).toBe(true);
    expect(mtu.limitBytes).toBeLessThanOrEqual(passes);
    expect(mtu.limitBytes).toBeGreaterThan(passes - 17);
    expect(probes.length).toBeLessThan(20);
  },
);

test('a probe that ordinary loss takes is sent again', () => {
  const mtu = new PathMtu();
  search(mtu, 9_000, 0, 60_000, 0.2);
  expect(mtu.limitBytes).toBe(datagramBytesMax);
});

test('a limit that was found is tried to be raised once a minute, while something is sent', () => {
  const mtu = new PathMtu();
  search(mtu, 1_400, 0, 20_000);
  expect(mtu.probeDueMs(rttMs)).toBe(Infinity);
  mtu.sent(1_000_000, 500, 21_000);
  mtu.take(1_000_001, 500, rttMs, 21_040);
  const dueMs = mtu.probeDueMs(rttMs);
  expect(dueMs).toBeGreaterThan(60_000);
  expect(dueMs).toBeLessThan(81_000);
  expect(search(mtu, 9_000, dueMs, dueMs + 5_000)).toEqual([datagramBytesMax]);
  expect(mtu.limitBytes).toBe(datagramBytesMax);
});

/** A path on which all passes. */
function wide(): PathMtu {
  const mtu = new PathMtu();
  search(mtu, 9_000, 0, 1_000);
  return mtu;
}

test('three of the largest gone while smaller ones come: the limit falls, and the search begins anew', () => {
  const mtu = wide();
  for (const [i, bytes] of [1_452, 300, 1_452, 1_452].entries()) mtu.sent(100_000 + i, bytes, 2_000 + i);
  // Not yet: what came left before the third.
  mtu.take(100_001, 300, rttMs, 2_200);
  expect(mtu.limitBytes).toBe(datagramBytesMax);
  mtu.sent(100_010, 300, 2_210);
  mtu.take(100_010, 300, rttMs, 2_250);
  expect(mtu.limitBytes).toBe(baseBytes);
  expect(mtu.shrinks).toBe(1);
  expect(mtu.probeDueMs(rttMs)).toBeLessThanOrEqual(2_250);
  expect(mtu.probeBytes).toBe(datagramBytesMax);
});

test('where only one of them went, it is asked for', () => {
  const mtu = wide();
  mtu.sent(100_000, 1_300, 2_000);
  const dueMs = mtu.probeDueMs(rttMs);
  expect(dueMs).toBeGreaterThan(2_000 + rttMs);
  expect(dueMs).toBeLessThan(2_200);
  expect(search(mtu, 1_250, 2_000, 2_600)).toEqual([1_300, 1_300, datagramBytesMax]);
  expect(mtu.limitBytes).toBe(baseBytes);
});

test('what comes as large ends the doubt, and what is smaller does not', () => {
  const mtu = wide();
  mtu.sent(100_000, 1_300, 2_000);
  mtu.take(100_000, 1_200, rttMs, 2_040);
  expect(mtu.probeDueMs(rttMs)).toBeLessThan(Infinity);
  mtu.take(100_000, 1_300, rttMs, 2_040);
  expect(mtu.probeDueMs(rttMs)).toBe(Infinity);
});

test('where what nearly every line passes is lost too, less is tried', () => {
  const mtu = wide();
  for (let i = 0; i < 3; i++) mtu.sent(100_000 + i, 1_100, 2_000);
  mtu.take(100_005, 300, rttMs, 2_200);
  expect(mtu.limitBytes).toBe(540);
  search(mtu, 1_000, 2_200, 30_000);
  expect(mtu.limitBytes).toBeLessThanOrEqual(1_000);
  expect(mtu.limitBytes).toBeGreaterThan(980);
});

test('any order of sizes, numbers and times leaves a limit between the bounds', () => {
  const prng = new Prng(11);
  const mtu = new PathMtu();
  let number = 0;
  for (let ms = 0; ms < 200_000; ms += prng.int(0, 40)) {
    if (mtu.probeDueMs(rttMs) <= ms) {
      expect(mtu.probeBytes).toBeGreaterThan(mtu.settled ? 0 : 500);
      expect(mtu.probeBytes).toBeLessThanOrEqual(datagramBytesMax);
      mtu.probed(number++, mtu.probeBytes, ms);
    }
    mtu.sent(number++, prng.int(40, mtu.limitBytes), ms);
    if (prng.float() < 0.4) mtu.take(number - prng.int(0, 6), prng.int(0, 1_600), rttMs, ms);
    expect(mtu.limitBytes).toBeGreaterThanOrEqual(540);
    expect(mtu.limitBytes).toBeLessThanOrEqual(datagramBytesMax);
  }
});
