import { FreeListPool, heapSlab, Parts } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Chunk } from '../../src/stream/chunk.ts';
import { CreditBudget } from '../../src/stream/credit.ts';
import type { SendBuffer } from '../../src/stream/send-buffer.ts';
import { Stream } from '../../src/stream/stream.ts';
import { StreamClass } from '../../src/wire/frame.ts';

const target = { address: Uint8Array.of(192, 0, 2, 1), port: 80 };

function newStream(): { stream: Stream; buffer: SendBuffer; pool: FreeListPool } {
  const pool = new FreeListPool(heapSlab, 1_000_000);
  const stream = new Stream(1, StreamClass.bulk, target, [], true, pool, new CreditBudget(1_000_000), 0);
  return { stream, buffer: stream.send, pool };
}

const byteAt = (offset: number): number => (offset * 31 + (offset >> 8)) & 0xff;

/** Gives the buffer `length` bytes in as many receives as its memory asks for. */
function give(buffer: SendBuffer, length: number): void {
  for (let left = length; left > 0;) {
    const { slab, start, room } = buffer.reserve();
    const count = Math.min(room, left);
    for (let i = 0; i < count; i++) slab.bytes[start + i] = byteAt(buffer.end + i);
    buffer.commit(count);
    left -= count;
  }
}

function expectContent(buffer: SendBuffer, chunk: Chunk): void {
  const copy = new Uint8Array(chunk.length + 2);
  const parts = new Parts();
  parts.begin(1);
  buffer.locate(chunk, parts);
  expect(parts.bytes).toBe(chunk.length);
  parts.copyTo(copy);
  for (let i = 0; i < chunk.length; i++) if (copy[i + 1] !== byteAt(chunk.offset + i)) expect.fail(`byte ${i}`);
  expect(copy[0]).toBe(0);
  expect(copy[chunk.length + 1]).toBe(0);
}

type Step = readonly ['give' | 'cut' | 'lose' | 'send' | 'ack', number];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.tuple(
      fc.constant('give' as const),
      fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 90_000 })),
    ),
    fc.tuple(
      fc.constant('cut' as const),
      fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 64_512 })),
    ),
    fc.tuple(fc.constantFrom('lose' as const, 'send' as const, 'ack' as const), fc.nat()),
  ),
  { maxLength: 80 },
);

test('cut, lost, sent again and acknowledged in any order: bytes and base stay right, memory comes back', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { stream, buffer, pool } = newStream();
      const chunks: Chunk[] = [];
      const lost = new Set<Chunk>();
      let end = 0;
      let next = 0;
      for (const [act, value] of all) {
        const chunk = chunks[value % Math.max(chunks.length, 1)];
        if (act === 'give') {
          give(buffer, value);
          end += value;
        } else if (act === 'cut' && buffer.unsentBytes > 0) {
          const length = Math.min(value, buffer.unsentBytes);
          const cut = buffer.cut(stream, length);
          expect([cut.offset, cut.length]).toEqual([next, length]);
          next += length;
          chunks.push(cut);
        } else if (act === 'lose' && chunk && !chunk.acked) {
          buffer.lose(chunk);
          lost.add(chunk);
        } else if (act === 'ack' && chunk && !chunk.acked) {
          expectContent(buffer, chunk);
          buffer.acknowledge(chunk);
          lost.delete(chunk);
        } else if (act === 'send') {
          const lowest = [...lost].toSorted((a, b) => a.offset - b.offset)[0];
          expect(buffer.firstLost()).toBe(lowest);
          if (lowest) {
            expectContent(buffer, lowest);
            buffer.takeLost();
            lost.delete(lowest);
          }
        }
        const base = chunks.find((c) => !c.acked)?.offset ?? next;
        expect([buffer.base, buffer.next, buffer.end]).toEqual([base, next, end]);
        expect(buffer.heldBytes).toBe(end - base);
        expect(buffer.head).toBe(chunks.find((c) => !c.acked));
        // Half-filled slabs at either end, and what small reads leave over.
        expect(pool.usedBytes).toBeLessThanOrEqual((end - base) * 1.34 + 2 * 65_536);
      }
      if (buffer.unsentBytes > 0) chunks.push(buffer.cut(stream, buffer.unsentBytes));
      for (const chunk of chunks) if (!chunk.acked) buffer.acknowledge(chunk);
      expect(pool.usedBytes).toBe(0);
      expect(buffer.heldBytes).toBe(0);
    }),
  );
});

test('released in the middle, everything is given back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300_000 }), fc.integer({ min: 1, max: 64_512 }), (given, length) => {
      const { stream, buffer, pool } = newStream();
      give(buffer, given);
      buffer.lose(buffer.cut(stream, Math.min(length, given)));
      buffer.release();
      expect(pool.usedBytes).toBe(0);
      expect(buffer.heldBytes).toBe(0);
      expect(buffer.firstLost()).toBeUndefined();
    }),
  );
});

test('a receive that brought nothing costs no memory', () => {
  const { buffer, pool } = newStream();
  buffer.reserve();
  buffer.commit(0);
  expect(pool.usedBytes).toBe(0);
  give(buffer, 10);
  buffer.reserve();
  buffer.commit(0);
  expect(buffer.end).toBe(10);
});
