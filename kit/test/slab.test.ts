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
