import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Prng } from '../src/index.ts';

test('the same seed gives the same numbers on every machine', () => {
  const prng = new Prng(1);
  expect([prng.u32(), prng.u32(), prng.u32(), prng.u32()]).toMatchInlineSnapshot(`
    [
      2442144158,
      3238099751,
      3819917871,
      2104621829,
    ]
  `);
});

test('numbers keep within what is asked', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: -1_000, max: 1_000 }), fc.nat(1_000), (seed, low, span) => {
      const prng = new Prng(seed);
      for (let i = 0; i < 20; i++) {
        const whole = prng.int(low, low + span);
        expect(Number.isInteger(whole) && whole >= low && whole <= low + span).toBe(true);
        const float = prng.float();
        expect(float >= 0 && float < 1).toBe(true);
        const spread = prng.logUniform(0.5, 500);
        expect(spread >= 0.5 * (1 - 1e-12) && spread <= 500 * (1 + 1e-12)).toBe(true);
      }
    }),
  );
});

test('spreads evenly: mean, deviate and octets', () => {
  const prng = new Prng(7);
  const count = 20_000;
  let sum = 0;
  let normal = 0;
  let square = 0;
  for (let i = 0; i < count; i++) {
    sum += prng.float();
    const deviate = prng.normal();
    normal += deviate;
    square += deviate * deviate;
  }
  expect(sum / count).toBeCloseTo(0.5, 1);
  expect(normal / count).toBeCloseTo(0, 1);
  expect(square / count).toBeCloseTo(1, 1);
  const bytes = new Uint8Array(20_000);
  prng.fill(bytes.subarray(0));
  expect(new Set(bytes).size).toBe(256);
});

test('chance is never at 0 and always at 1', () => {
  const prng = new Prng(3);
  for (let i = 0; i < 100; i++) {
    expect(prng.chance(0)).toBe(false);
    expect(prng.chance(1)).toBe(true);
  }
});
