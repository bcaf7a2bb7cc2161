import fc from 'fast-check';
import { expect, test } from 'vitest';

import { FreeListPool, heapSlab, type Slab } from '../src/index.ts';

const keepBytes = 200_000;

test('counts what it has handed out, never hands out a slab twice, and keeps no more than it may', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 65_536 }), fc.constant(0)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat()), (all, picks) => {
      let made = 0;
      const pool = new FreeListPool((size) => {
        made += size;
        return heapSlab(size);
      }, keepBytes);
      const out: Slab[] = [];
      let peak = 0;
      for (const size of all) {
        if (size > 0) {
          const slab = pool.take(size);
          expect(slab.bytes.length).toBeGreaterThanOrEqual(size);
          expect(out.includes(slab)).toBe(false);
          out.push(slab);
        } else if (out.length > 0) {
          const [slab] = out.splice(picks.next().value % out.length, 1);
          pool.give(slab!);
        }
        const used = out.reduce((sum, slab) => sum + slab.bytes.length, 0);
        peak = Math.max(peak, used);
        expect(pool.usedBytes).toBe(used);
      }
      for (const slab of out) pool.give(slab);
      expect(pool.usedBytes).toBe(0);
      expect(made).toBeGreaterThanOrEqual(peak);
    }),
  );
});

test('what is given back is used again', () => {
  let made = 0;
  const pool = new FreeListPool((size) => {
    made++;
    return heapSlab(size);
  }, keepBytes);
  for (let i = 0; i < 10; i++) pool.give(pool.take(10_000));
  expect(made).toBe(1);
});

test('what a burst has left is given back, what is in use all the time is kept', () => {
  const pool = new FreeListPool(heapSlab, 1_048_576);
  const burst = Array.from({ length: 20 }, () => pool.take(16_384));
  for (const slab of burst) pool.give(slab);
  expect(pool.unusedBytes).toBe(20 * 16_384);
  pool.trim();
  // A burst is over only when a while has passed without one.
  expect(pool.unusedBytes).toBe(20 * 16_384);
  const few = Array.from({ length: 3 }, () => pool.take(16_384));
  for (const slab of few) pool.give(slab);
  pool.trim();
  expect(pool.unusedBytes).toBe(3 * 16_384);
  for (const slab of Array.from({ length: 3 }, () => pool.take(16_384))) pool.give(slab);
  pool.trim();
  expect(pool.unusedBytes).toBe(3 * 16_384);
  pool.trim();
  expect(pool.unusedBytes).toBe(0);
  expect(pool.usedBytes).toBe(0);
});
