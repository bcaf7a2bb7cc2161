import { expect, test } from 'vitest';

import { ProvenFlight } from '../../src/line/proven-flight.ts';

test('what went without a queue may be doubled, and never counts for less', () => {
  const proven = new ProvenFlight();
  expect(proven.bytes).toBe(0);
  proven.take(10_000, 30, 40);
  expect(proven.bytes).toBe(20_000);
  proven.take(1_000, 30, 40);
  expect(proven.bytes).toBe(20_000);
  proven.take(20_000, 40, 40);
  expect(proven.bytes).toBe(40_000);
});

test('a queue takes back what would not have fitted', () => {
  const proven = new ProvenFlight();
  proven.take(10_000, 80, 40);
  expect(proven.bytes).toBe(0);
  proven.take(50_000, 40, 40);
  proven.take(60_000, 80, 40);
  expect(proven.bytes).toBe(30_000);
  proven.take(90_000, 41, 40);
  expect(proven.bytes).toBe(30_000);
});
