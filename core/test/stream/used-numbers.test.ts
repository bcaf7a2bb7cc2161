import { Prng } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { streamsMax } from '../../src/limits.ts';
import { UsedNumbers } from '../../src/stream/used-numbers.ts';

test.each([1, 2])('numbers from %d on: used once, in any order, within the window', (first) => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 400 }), (seed, count) => {
      const prng = new Prng(seed);
      const used = new UsedNumbers(first);
      const model = new Set<number>();
      // OPENs overtake each other by a few places.
      const order = Array.from({ length: count }, (_, i) => ({ number: first + 2 * i, key: i + prng.int(0, 20) }));
      for (const { number } of order.toSorted((a, b) => a.key - b.key)) {
        expect(used.state(number)).toBe('new');
        used.use(number);
        model.add(number);
        expect(used.state(number)).toBe('used');
        const probe = first + 2 * prng.int(0, count + 30);
        expect(used.state(probe)).toBe(model.has(probe) ? 'used' : 'new');
      }
      for (const { number } of order) expect(used.state(number)).toBe('used');
      expect(used.state(first + 2 * count)).toBe('new');
    }),
  );
});

test('the other side’s numbers, and those far ahead, are impossible', () => {
  const used = new UsedNumbers(1);
  expect(used.state(2)).toBe('impossible');
  expect(used.state(1 + 2 * streamsMax - 2)).toBe('new');
  expect(used.state(1 + 2 * streamsMax)).toBe('impossible');
  used.use(1);
  expect(used.state(1 + 2 * streamsMax)).toBe('new');
});
