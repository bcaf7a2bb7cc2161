import { BugError, Parts } from '@tresse/kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Aead, AEAD_TAG_BYTES, type Cipher } from '../src/aead-form.ts';
import { bestAead, nodeAead, openSslAead } from '../src/aead.ts';
import { nativeSlab } from '../src/slab.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/gu, ''), 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

interface Sealed {
  key: Uint8Array;
  counter: number;
  aad: Uint8Array;
  text: Uint8Array;
}

/** Seals in a slab laid out `aad | gap | text | tag`; returns text and tag. */
function seal(aead: Aead, { key, counter, aad, text }: Sealed, gap = 3): Uint8Array {
  const slab = nativeSlab(aad.length + gap + text.length + AEAD_TAG_BYTES + 5);
  slab.bytes.fill(0xee);
  slab.bytes.set(aad);
  const start = aad.length + gap;
  slab.bytes.set(text, start);
  aead.seal(aead.key(key), counter, slab, 0, aad.length, start, text.length);
  expect(slab.bytes.subarray(0, aad.length)).toEqual(aad);
  expect([...slab.bytes.subarray(aad.length, start)].every((b) => b === 0xee)).toBe(true);
  expect([...slab.bytes.subarray(start + text.length + AEAD_TAG_BYTES)].every((b) => b === 0xee)).toBe(true);
  return slab.bytes.slice(start, start + text.length + AEAD_TAG_BYTES);
}

/** Opens what {@link seal} returned; undefined when refused, after checking that nothing of the text is left. */
function open(aead: Aead, sealed: Uint8Array, { key, counter, aad }: Omit<Sealed, 'text'>): Uint8Array | undefined {
  const slab = nativeSlab(aad.length + sealed.length);
  slab.bytes.set(aad);
  slab.bytes.set(sealed, aad.length);
  const length = sealed.length - AEAD_TAG_BYTES;
  const opened = aead.open(aead.key(key), counter, slab, 0, aad.length, aad.length, length);
  const text = slab.bytes.slice(aad.length, aad.length + length);
  if (opened) return text;
  expect(text.every((b) => b === 0)).toBe(true);
  return undefined;
}

const makers = [
  ['OpenSSL directly', openSslAead],
  ['node:crypto', nodeAead],
] as const;

const records = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  counter: fc.maxSafeNat(),
  aad: fc.uint8Array({ maxLength: 40 }),
  text: fc.uint8Array({ maxLength: 3000 }),
});

describe.each(makers)('AEAD compliance: %s', (_name, make) => {
  test('AES-256-GCM, McGrew and Viega test cases 13 and 14: zero key and nonce', () => {
    const aead = make('aes-256-gcm');
    const zeros = { key: new Uint8Array(32), counter: 0, aad: new Uint8Array() };
    expect(toHex(seal(aead, { ...zeros, text: new Uint8Array() }))).toBe('530f8afbc74536b9a963b4f1c4cb738b');
    expect(toHex(seal(aead, { ...zeros, text: new Uint8Array(16) }))).toBe(
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    );
  });

  // By Python's cryptography 48: the published vectors' nonces are not of our form (zeros, then a counter below 2^53).
  test.each([
    ['aes-256-gcm', '1cfcebd91a6cc7ed3fe0c7f9d464d41ba7796647bf5ff06c33838f0d46671e2bb77bc0b4e577b5d1'],
    ['chacha20-poly1305', '5a72eaf342d951b4715221655cfeb614ecbbb54a20e8bc2b6b7739bfcbbfda98d989cea48ad7936f'],
  ] as const)('%s as another library seals it', (cipher, golden) => {
    const record = {
      key: Uint8Array.from({ length: 32 }, (_, i) => i),
      counter: 0x0001_0203_0405_0607,
      aad: hex('00000015'),
      text: new TextEncoder().encode('braided over three lines'),
    };
    expect(toHex(seal(make(cipher), record))).toBe(golden);
    expect(open(make(cipher), hex(golden), record)).toEqual(record.text);
  });

  describe.each(['aes-256-gcm', 'chacha20-poly1305'] as const)('%s', (cipher) => {
    test('what was sealed opens again', () => {
      const aead = make(cipher);
      fc.assert(
        fc.property(records, (r) => {
          const sealed = seal(aead, r);
          expect(open(aead, sealed, r)).toEqual(r.text);
        }),
        { numRuns: 60 },
      );
    });

    test('any flipped bit of text, tag or associated data, any other key or counter is refused', () => {
      const aead = make(cipher);
      fc.assert(
        fc.property(records, fc.nat(), fc.constantFrom('sealed', 'aad', 'key', 'counter'), (r, at, what) => {
          const sealed = seal(aead, r);
          const wrong = { key: r.key.slice(), aad: r.aad.slice(), counter: r.counter };
          const flip = (bytes: Uint8Array) => {
            if (bytes.length > 0) bytes[(at >> 3) % bytes.length]! ^= 1 << (at & 7);
          };
          if (what === 'counter') wrong.counter = r.counter === 0 ? 1 : r.counter - 1;
          else flip(what === 'sealed' ? sealed : wrong[what]);
          if (what === 'aad' && r.aad.length === 0) return;
          expect(open(aead, sealed, wrong)).toBeUndefined();
          // A refusal leaves nothing behind that disturbs the next record.
          expect(open(aead, seal(aead, r), r)).toEqual(r.text);
        }),
        { numRuns: 60 },
      );
    });

    test('counters above 32 bits count', () => {
      const aead = make(cipher);
      const r = { key: new Uint8Array(32).fill(7), aad: new Uint8Array(4), text: new Uint8Array(9) };
      const counters = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
      expect(new Set(counters.map((counter) => toHex(seal(aead, { ...r, counter })))).size).toBe(counters.length);
    });

    test('a whole strand record', () => {
      const aead = make(cipher);
      const r = {
        key: new Uint8Array(32).fill(1),
        counter: 9,
        aad: new Uint8Array(4),
        text: new Uint8Array(65_536).fill(3),
      };
      expect(open(aead, seal(aead, r), r)).toEqual(r.text);
    });

    test('what stands in parts is sealed as if it stood in the text, and is not changed', () => {
      const aead = make(cipher);
      const cuts = fc.array(fc.nat(3_000), { minLength: 2, maxLength: 5 });
      fc.assert(
        fc.property(records, cuts, (r, picks) => {
          const [from = 0, ...rest] = picks.map((pick) => Math.min(pick, r.text.length)).toSorted((a, b) => a - b);
          const start = r.aad.length;
          const slab = nativeSlab(start + r.text.length + AEAD_TAG_BYTES);
          slab.bytes.set(r.aad);
          slab.bytes.set(r.text, start);
          const parts = new Parts();
          parts.begin(start + from);
          let at = from;
          for (const to of rest) {
            const own = nativeSlab(to - at + 9);
            own.bytes.set(r.text.subarray(at, to), 7);
            parts.add(own, 7, to - at);
            at = to;
          }
          // What stands in their place does not count.
          slab.bytes.fill(0xee, start + from, start + at);
          aead.seal(aead.key(r.key), r.counter, slab, 0, start, start, r.text.length, parts);
          expect(slab.bytes.slice(start)).toEqual(seal(aead, r));
          const again = new Uint8Array(start + at);
          parts.copyTo(again);
          expect(again.subarray(start + from)).toEqual(r.text.subarray(from, at));
        }),
        { numRuns: 60 },
      );
    });

    test('parts outside the text are refused', () => {
      const aead = make(cipher);
      const key = aead.key(new Uint8Array(32));
      const slab = nativeSlab(100);
      const parts = new Parts();
      for (const [at, length] of [
        [3, 10],
        [50, 10],
        [60, 1],
        [Number.NaN, 1],
      ] as const) {
        parts.begin(at);
        parts.add(nativeSlab(10), 0, length);
        expect(() => aead.seal(key, 0, slab, 0, 4, 4, 50, parts)).toThrow(BugError);
      }
    });

    test('keys do not mix, and an erased key is gone', () => {
      const aead = make(cipher);
      const one = aead.key(new Uint8Array(32).fill(1));
      const two = aead.key(new Uint8Array(32).fill(2));
      const slab = nativeSlab(64);
      aead.seal(one, 5, slab, 0, 4, 4, 20);
      const sealed = slab.bytes.slice();
      aead.seal(two, 5, slab, 0, 4, 30, 10);
      slab.bytes.set(sealed);
      expect(aead.open(one, 5, slab, 0, 4, 4, 20)).toBe(true);
      aead.eraseKey(one);
      expect(one.bytes.every((b) => b === 0)).toBe(true);
      slab.bytes.set(sealed);
      expect(aead.open(one, 5, slab, 0, 4, 4, 20)).toBe(false);
      aead.seal(two, 5, slab, 0, 4, 30, 10);
      expect(aead.open(two, 5, slab, 0, 4, 30, 10)).toBe(true);
    });

    test('refuses to touch memory outside the slab', () => {
      const aead = make(cipher);
      const key = aead.key(new Uint8Array(32));
      const slab = nativeSlab(64);
      for (const [counter, aadStart, aadLength, textStart, textLength] of [
        [0, 0, 4, 4, 45],
        [0, 0, 65, 0, 0],
        [0, -1, 4, 4, 4],
        [0, 0, 4, -4, 4],
        [0, 0, 4, 4, -1],
        [0, 0, 4, Number.NaN, 4],
        [-1, 0, 4, 4, 4],
        [2 ** 53, 0, 4, 4, 4],
        [Number.NaN, 0, 4, 4, 4],
      ] as const) {
        expect(() => aead.seal(key, counter, slab, aadStart, aadLength, textStart, textLength)).toThrow(BugError);
        expect(() => aead.open(key, counter, slab, aadStart, aadLength, textStart, textLength)).toThrow(BugError);
      }
      expect(() => aead.key(new Uint8Array(31))).toThrow(BugError);
    });
  });
});

describe('both implementations', () => {
  test.each<Cipher>(['aes-256-gcm', 'chacha20-poly1305'])('seal %s to the same bytes', (cipher) => {
    const a = openSslAead(cipher);
    const b = nodeAead(cipher);
    fc.assert(
      fc.property(records, (r) => {
        expect(toHex(seal(a, r))).toBe(toHex(seal(b, r)));
      }),
      { numRuns: 60 },
    );
  });

  test('the best one here is the direct one', () => {
    const aead = bestAead('aes-256-gcm');
    expect(aead.name).toBe('aes-256-gcm');
    const slab = { bytes: new Uint8Array(64), address: 0 };
    expect(() => aead.seal(aead.key(new Uint8Array(32)), 0, slab, 0, 0, 0, 1)).toThrow(BugError);
    const parts = new Parts();
    parts.begin(4);
    parts.add(slab, 0, 10);
    expect(() => aead.seal(aead.key(new Uint8Array(32)), 0, nativeSlab(64), 0, 4, 4, 20, parts)).toThrow(BugError);
  });
});
