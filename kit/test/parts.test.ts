import fc from 'fast-check';
import { expect, test } from 'vitest';

import { heapSlab, Parts } from '../src/index.ts';

const piece = fc.record({ start: fc.nat(40), length: fc.nat(60) });

test('parts are the bytes of their slabs one behind the other, each text anew', () => {
  const slabs = [1, 2, 3].map((salt) => {
    const slab = heapSlab(100);
    for (let i = 0; i < slab.bytes.length; i++) slab.bytes[i] = (salt * 83 + i) & 0xff;
    return slab;
  });
  const parts = new Parts();
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(20), (pieces, at) => {
      parts.begin(at);
      const wanted: number[] = [];
      for (const [i, { start, length }] of pieces.entries()) {
        const slab = slabs[i % slabs.length]!;
        parts.add(slab, start, length);
        wanted.push(...slab.bytes.subarray(start, start + length));
      }
      expect([parts.at, parts.count, parts.bytes]).toEqual([at, pieces.length, wanted.length]);
      const text = new Uint8Array(at + wanted.length + 3).fill(0xee);
      parts.copyTo(text);
      expect([...text]).toEqual([...Array<number>(at).fill(0xee), ...wanted, 0xee, 0xee, 0xee]);
    }),
  );
});

test('a part outside its slab is refused', () => {
  const parts = new Parts();
  for (const [start, length] of [
    [-1, 2],
    [0, 101],
    [100, 1],
    [3, -1],
    [Number.NaN, 1],
  ] as const) {
    expect(() => parts.add(heapSlab(100), start, length)).toThrow();
  }
  expect(parts.count).toBe(0);
});
