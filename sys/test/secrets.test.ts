import { expect, test } from 'vitest';

import { hkdf, randomBytes } from '../src/secrets.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('HKDF, RFC 5869 test case 3 (no salt, no info)', () => {
  expect(hex(hkdf(new Uint8Array(22).fill(0x0b), new Uint8Array(), '', 42))).toBe(
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  );
});

test('HKDF tells purposes, salts and secrets apart', () => {
  const secret = new Uint8Array(32).fill(1);
  const salt = new Uint8Array(16).fill(2);
  const all = [
    hkdf(secret, salt, 'up', 32),
    hkdf(secret, salt, 'down', 32),
    hkdf(secret, new Uint8Array(16), 'up', 32),
    hkdf(new Uint8Array(32), salt, 'up', 32),
  ];
  expect(new Set(all.map(hex)).size).toBe(4);
  expect(hkdf(secret, salt, 'up', 32)).toEqual(all[0]);
});

test('random bytes are in memory of their own, and differ', () => {
  const bytes = randomBytes(32);
  expect(bytes.buffer.byteLength).toBe(32);
  expect(hex(bytes)).not.toBe(hex(randomBytes(32)));
});
