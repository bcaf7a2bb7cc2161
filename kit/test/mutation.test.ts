import { expect, test } from 'vitest';

import { mutated } from '../src/mutation.ts';
import { Prng } from '../src/prng.ts';

const input = Uint8Array.from({ length: 49 }, (_, i) => i);

test('the same seed gives the same faults, and the input stays as it was', () => {
  for (let seed = 0; seed < 200; seed++) {
    expect(mutated(new Prng(seed), input)).toEqual(mutated(new Prng(seed), input));
  }
  expect([...input]).toEqual(Array.from({ length: 49 }, (_, i) => i));
});

test('nearly every copy differs, in every place and in length', () => {
  const prng = new Prng(1);
  const copies = Array.from({ length: 2_000 }, () => mutated(prng, input));
  expect(copies.filter((copy) => String(copy) !== String(input)).length).toBeGreaterThan(1_800);
  expect(copies.some((copy) => copy.length < input.length)).toBe(true);
  expect(copies.some((copy) => copy.length > input.length)).toBe(true);
  for (let i = 0; i < input.length; i++) expect(copies.some((copy) => copy[i] !== input[i])).toBe(true);
});

test('an empty input may grow and never fails', () => {
  const prng = new Prng(2);
  for (let i = 0; i < 500; i++) expect(mutated(prng, new Uint8Array(0)).length).toBeLessThan(200);
});
