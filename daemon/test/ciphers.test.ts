import type { Cipher } from '@tresse/schema';
import { expect, test } from 'vitest';

import { agreedCipher, preferredCiphers, rankedCiphers } from '../src/ciphers.ts';

const aes = 'aes-256-gcm';
const chacha = 'chacha20-poly1305';

test.each<[string, number, number, Cipher]>([
  ['a CPU with AES', 0.015, 0.04, aes],
  ['about the same', 0.045, 0.04, aes],
  ['a CPU without', 0.4, 0.05, chacha],
])('what this CPU does well comes first: %s', (_, aesMs, chachaMs, first) => {
  const ranked = rankedCiphers((cipher) => (cipher === aes ? aesMs : chachaMs));
  expect(ranked[0]).toBe(first);
  expect(ranked.toSorted()).toEqual([aes, chacha]);
});

test('it is measured once', () => {
  const first = preferredCiphers();
  expect(first.toSorted()).toEqual([aes, chacha]);
  expect(preferredCiphers()).toEqual(first);
});

test.each<[string, readonly Cipher[], readonly string[], Cipher | undefined]>([
  ['both have AES', [aes, chacha], [aes, chacha], aes],
  ['neither has', [chacha, aes], [chacha, aes], chacha],
  ['the box has none', [aes, chacha], [chacha, aes], chacha],
  ['the relay has none', [chacha, aes], [aes, chacha], chacha],
  ['the box knows but one', [chacha, aes], [aes], aes],
  ['the box knows more', [aes, chacha], ['rot13', chacha, aes], aes],
  ['nothing in common', [aes, chacha], ['rot13'], undefined],
])('what a session uses: %s', (_, relay, box, agreed) => {
  expect(agreedCipher(relay, box)).toBe(agreed);
});
