import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { slowSlab, summedSlab } from '../src/summed-slab.ts';

const size = 70_000;
const quick = summedSlab(size);
const slow = slowSlab(size);

/** RFC 1071, written down as it stands there. */
function reference(bytes: Uint8Array): number {
  let sum = 0;
  for (const [i, byte] of bytes.entries()) sum += i % 2 === 0 ? byte * 256 : byte;
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return sum;
}

describe.each([
  ['by vectors', quick],
  ['without', slow],
])('%s', (_, slab) => {
  test('any bytes at any place', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.uint8Array({ maxLength: 1_600 }), (start, bytes) => {
        slab.bytes.set(bytes, start);
        expect(slab.sum(start, bytes.length)).toBe(reference(bytes));
      }),
    );
  });

  test('64 KiB of ones do not overflow', () => {
    slab.bytes.fill(0xff);
    expect(slab.sum(3, 65_535)).toBe(reference(slab.bytes.subarray(3, 65_538)));
    expect(slab.sum(0, 65_536)).toBe(0xffff);
  });

  test('nothing is zero, and the example of RFC 1071', () => {
    slab.bytes.set([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 1);
    expect(slab.sum(1, 0)).toBe(0);
    expect(slab.sum(1, 8)).toBe(0xddf2);
  });
});

test('there are as many bytes as asked for, zeroed, and an address', () => {
  const slab = summedSlab(65_537);
  expect(slab.bytes.length).toBe(2 * 65_536);
  expect(slab.bytes.every((byte) => byte === 0)).toBe(true);
  expect(slab.address).toBeGreaterThan(0);
});
