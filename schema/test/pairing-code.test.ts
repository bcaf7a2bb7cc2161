import { crc32 } from 'node:zlib';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ipText, readPairingCode, writePairingCode } from '../src/index.ts';
import { base32, base64url, fromText, toText } from '../src/radix-text.ts';

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const address = fc.oneof(octets(4), octets(16)).map((one) => ipText(Array.from(one)));
const content = fc.record({
  addresses: fc.array(address, { minLength: 1, maxLength: 8 }),
  port: fc.integer({ min: 1, max: 65_535 }),
  pin: octets(32).map((one) => toText(one, base64url)),
  token: octets(16).map((one) => toText(one, base64url)),
});
const code = content.map((given) => writePairingCode(given) ?? '');

const typo = 'The pairing code has a typo or is not whole: copy it again.';

test('what goes into a code comes out of it, in one line of characters that a QR code holds densely', () => {
  fc.assert(
    fc.property(content, (given) => {
      const text = writePairingCode(given) ?? '';
      expect(text).toMatch(/^TRESSE[0-9A-HJKMNP-TV-Z]+$/u);
      expect(readPairingCode(text)).toEqual({ ok: true, value: given });
    }),
  );
});

test('it survives lower case, spaces, hyphens, line breaks, and letters written for digits', () => {
  fc.assert(
    fc.property(code, fc.array(fc.constantFrom(' ', '-', '\n', ''), { minLength: 1, maxLength: 9 }), (text, breaks) => {
      const typed = Array.from(text.toLowerCase(), String)
        .map((one, i) => one + (breaks[i % breaks.length] ?? ''))
        .join('');
      const written = `${typed.slice(0, 7)}${typed.slice(7).replaceAll('0', 'o').replaceAll('1', 'l')}`;
      expect(readPairingCode(written)).toEqual(readPairingCode(text));
    }),
  );
});

test('a wrong character, two swapped, one missing or one too many is told as a typo, never as something else', () => {
  const place = fc.nat();
  fc.assert(
    fc.property(code, place, fc.constantFrom(...base32.split('')), (text, at, character) => {
      const index = 6 + (at % (text.length - 6));
      const [before, after] = [text.slice(0, index), text.slice(index + 1)];
      const swapped = `${before}${after.slice(0, 1)}${text[index]}${after.slice(1)}`;
      for (const wrong of [before + character + after, swapped, before + after, before]) {
        if (wrong !== text) expect(readPairingCode(wrong)).toEqual({ ok: false, sentence: typo });
      }
      expect(readPairingCode(`${text.slice(0, index)}!${after}`)).toEqual({ ok: false, sentence: typo });
    }),
  );
});

test('whatever is typed instead is a sentence', () => {
  const none = { ok: false, sentence: expect.stringContaining('This is no pairing code') };
  expect(readPairingCode('')).toEqual(none);
  expect(readPairingCode('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')).toEqual(none);
  expect(readPairingCode('TRESSE')).toEqual({ ok: false, sentence: typo });
  fc.assert(fc.property(fc.string(), (text) => !readPairingCode(text).ok));
  fc.assert(fc.property(fc.string(), (text) => !readPairingCode(`TRESSE${text}`).ok));
});

test('the layout is fixed, and a later one is told as such', () => {
  const text = writePairingCode({
    addresses: ['203.0.113.1', '2001:db8::1'],
    port: 7443,
    pin: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    token: 'AAECAwQFBgcICQoLDA0ODw',
  });
  const bytes = fromText(text?.slice(6) ?? '', base32) ?? new Uint8Array();
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, '0')).join('');
  expect(hex.slice(0, -8)).toBe(
    '01000102030405060708090a0b0c0d0e0fe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' +
      '1d13' +
      '04cb007101' +
      '1020010db8000000000000000000000001',
  );
  const later = Uint8Array.from([2, ...bytes.subarray(1, -4)]);
  const check = crc32(later);
  const sum = [24, 16, 8, 0].map((shift) => (check >>> shift) & 0xff);
  expect(readPairingCode(`TRESSE${toText(Uint8Array.from([...later, ...sum]), base32)}`)).toEqual({
    ok: false,
    sentence: 'The pairing code is of a newer version of Tresse: update this box.',
  });
});

test.each([
  [{ port: 0 }],
  [{ port: 70_000 }],
  [{ addresses: [] }],
  [{ addresses: ['relay.example.org'] }],
  [{ addresses: Array.from({ length: 9 }, () => '192.0.2.1') }],
  [{ pin: 'short' }],
  [{ token: 'AAAA' }],
])('no code is made of %j', (wrong) => {
  const good = { addresses: ['192.0.2.1'], port: 1, pin: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' };
  expect(writePairingCode({ ...good, token: 'AAECAwQFBgcICQoLDA0ODw', ...wrong })).toBeUndefined();
});

test('octets survive both alphabets; text with stray bits or characters is nothing', () => {
  for (const alphabet of [base32, base64url]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (given) => {
        expect(fromText(toText(given, alphabet), alphabet)).toEqual(given);
      }),
    );
  }
  expect(toText(Uint8Array.of(0xff, 0), base64url)).toBe(Buffer.from([0xff, 0]).toString('base64url'));
  expect(fromText('_w', base64url)).toEqual(Uint8Array.of(255));
  expect(fromText('_x', base64url)).toBeUndefined();
  expect(fromText('AAAAA', base64url)).toBeUndefined();
  expect(fromText('A+', base64url)).toBeUndefined();
});
