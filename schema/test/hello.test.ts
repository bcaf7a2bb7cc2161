import fc from 'fast-check';
import { expect, test } from 'vitest';

import { boxHello, refusalSentence, relayAnswer } from '../src/index.ts';

const hex = fc
  .array(fc.integer({ min: 0, max: 15 }), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.map((one) => one.toString(16)).join(''));
const limits = fc.record({
  streams: fc.integer({ min: 1, max: 1_000_000 }),
  initialCredit: fc.integer({ min: 1024, max: 2 ** 30 }),
  frames: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 256 }),
});
const hello = fc.record({
  type: fc.constant('hello' as const),
  versions: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 16 }),
  software: fc.string({ maxLength: 64 }),
  incarnation: hex,
  ciphers: fc.array(fc.string({ maxLength: 32 }), { minLength: 1, maxLength: 16 }),
  limits,
});

test('every hello survives JSON, with whatever a later version adds', () => {
  fc.assert(
    fc.property(hello, fc.jsonValue(), (given, later) => {
      const sent: unknown = JSON.parse(JSON.stringify({ ...given, later, limits: { ...given.limits, later } }));
      expect(boxHello.parse(sent)).toEqual(given);
    }),
  );
});

test('whatever else comes is refused and never throws past the reader', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(boxHello.safeParse(value).success).toBe(false);
      expect(relayAnswer.safeParse(value).success).toBe(false);
    }),
  );
});

test('every refusal is a sentence, also one of a later version', () => {
  expect(refusalSentence('unknown-box')).toContain('the relay does not know this box: pair them');
  expect(refusalSentence('full-moon')).toBe('the relay refuses this box (full-moon)');
});
