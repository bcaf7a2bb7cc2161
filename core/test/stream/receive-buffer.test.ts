import { FreeListPool, heapSlab, type Slab } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { creditWindowBytesFirst, pieceCostBytesMin } from '../../src/limits.ts';
import { ReceiveBuffer } from '../../src/stream/receive-buffer.ts';

/** The stream whose pieces arrive. */
const size = 3_000;
const content = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

interface Reader {
  readonly taken: number[];
  readonly deliver: (slab: Slab, start: number, length: number) => number;
}

/** Takes what `appetite` says, time after time; then everything. */
function reader(appetite: readonly number[]): Reader {
  const taken: number[] = [];
  let turn = 0;
  return {
    taken,
    deliver: (slab, start, length) => {
      const count = Math.min(length, appetite[turn++] ?? length);
      taken.push(...slab.bytes.subarray(start, start + count));
      return count;
    },
  };
}

/** A record's memory with the stream's bytes at some place of it: it is used again for the next record. */
const record: Slab = heapSlab(8_192);

function accept(buffer: ReceiveBuffer, offset: number, end: number, { deliver }: Reader): number {
  const start = 100 + (offset % 50);
  record.bytes.fill(0xff);
  record.bytes.set(content.subarray(offset, end), start);
  return buffer.accept(offset, record, start, end - offset, deliver);
}

const pieces = fc.array(fc.tuple(fc.nat(size), fc.oneof(fc.nat(40), fc.nat(900))), { maxLength: 60 });
const appetites = fc.array(fc.oneof(fc.constant(0), fc.nat(200), fc.constant(9_999)), { maxLength: 60 });

test('any split, order, copy and overlap, a reader of any appetite: the bytes once, in order', () => {
  fc.assert(
    fc.property(pieces, appetites, (all, appetite) => {
      const pool = new FreeListPool(heapSlab, 0);
      const buffer = new ReceiveBuffer(pool);
      const local = reader(appetite);
      const known = new Uint8Array(size);
      for (const [offset, length] of all) {
        const end = Math.min(size, offset + length);
        const fresh = known.subarray(offset, end).filter((k) => k === 0).length;
        known.fill(1, offset, end);
        expect(accept(buffer, offset, end, local)).toBe(fresh);
        expect(buffer.next).toBe(local.taken.length);
        expect(buffer.heldBytes).toBe(known.subarray(buffer.next).filter((k) => k === 1).length);
        expect(buffer.costBytes).toBeGreaterThanOrEqual(buffer.heldBytes);
      }
      accept(buffer, 0, size, local);
      for (let i = 0; i <= appetite.length; i++) buffer.drain(local.deliver);
      expect(local.taken).toEqual([...content]);
      expect([buffer.heldBytes, buffer.costBytes, pool.usedBytes]).toEqual([0, 0, 0]);
    }),
  );
});

const filled = (value: number): Slab => ({ bytes: new Uint8Array(100).fill(value), address: 0 });

test('on overlap the first copy wins', () => {
  const buffer = new ReceiveBuffer(new FreeListPool(heapSlab, 0));
  const local = reader([]);
  buffer.accept(10, filled(1), 0, 10, local.deliver);
  buffer.accept(5, filled(2), 0, 20, local.deliver);
  buffer.accept(0, filled(3), 0, 30, local.deliver);
  const expected = [
    ...Array(5).fill(3),
    ...Array(5).fill(2),
    ...Array(10).fill(1),
    ...Array(5).fill(2),
    ...Array(5).fill(3),
  ];
  expect(local.taken).toEqual(expected);
});

test('released, it gives all memory back', () => {
  fc.assert(
    fc.property(pieces, (all) => {
      const pool = new FreeListPool(heapSlab, 0);
      const buffer = new ReceiveBuffer(pool);
      const local = reader(Array(200).fill(0));
      for (const [offset, length] of all) accept(buffer, offset, Math.min(size, offset + length), local);
      buffer.release();
      expect([buffer.heldBytes, buffer.costBytes, pool.usedBytes]).toEqual([0, 0, 0]);
    }),
  );
});

test('a few bytes at a time to a reader that stands still cost what they are, not a slab each', () => {
  const pool = new FreeListPool(heapSlab, 0);
  const buffer = new ReceiveBuffer(pool);
  const local = reader(Array(size).fill(0));
  for (let offset = 0; offset < size; offset += 2) accept(buffer, offset, offset + 2, local);
  expect(buffer.heldBytes).toBe(size);
  expect(pool.usedBytes).toBeLessThanOrEqual(2 * 2_048);
  expect(buffer.costBytes).toBeLessThan(creditWindowBytesFirst / 100);
});

test('holes cost credit: every other byte is a kibibyte', () => {
  const buffer = new ReceiveBuffer(new FreeListPool(heapSlab, 0));
  const local = reader([]);
  for (let offset = 1; offset < 200; offset += 2) accept(buffer, offset, offset + 1, local);
  expect(buffer.costBytes).toBe(100 * pieceCostBytesMin);
});

test('what waits in order for a reader that stands still fills its slabs', () => {
  const pool = new FreeListPool(heapSlab, 0);
  const buffer = new ReceiveBuffer(pool);
  for (let i = 0; i < 300; i++) buffer.accept(i * 2_856, record, 0, 2_856, () => 0);
  expect(buffer.heldBytes).toBe(300 * 2_856);
  expect(pool.usedBytes).toBeLessThanOrEqual(buffer.heldBytes + 65_536);
  expect(buffer.costBytes).toBeLessThanOrEqual(buffer.heldBytes + pieceCostBytesMin * 300);
  buffer.release();
  expect(pool.usedBytes).toBe(0);
});
