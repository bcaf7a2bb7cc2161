import { FreeListPool, heapSlab } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { CreditBudget } from '../../src/stream/credit.ts';
import { Roster } from '../../src/stream/roster.ts';
import { Stream } from '../../src/stream/stream.ts';
import { StreamClass } from '../../src/wire/frame.ts';
import { target } from '../session/session-bench.ts';

const pool = new FreeListPool(heapSlab, 0);
const budget = new CreditBudget(0);
const stream = (id: number): Stream => new Stream(id, StreamClass.bulk, target, [], true, pool, budget, 0);
const on = (roster: Roster): Stream[] => Array.from({ length: roster.size }, (_, i) => roster.at(i)!);

test('whoever comes and goes in whatever order: those are on it who came and did not go, each once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 100 }), (moves) => {
      const all = Array.from({ length: 10 }, (_, i) => stream(2 * i + 1));
      const roster = new Roster('outstandingPlace');
      const other = new Roster('unrestedPlace');
      for (const one of all) other.add(one);
      const model = new Set<Stream>();
      for (const [comes, pick] of moves) {
        const one = all[pick]!;
        if (comes) {
          roster.add(one);
          model.add(one);
        } else {
          roster.delete(one);
          model.delete(one);
        }
        expect(roster.size).toBe(model.size);
        expect(new Set(on(roster))).toEqual(model);
      }
      expect(on(other)).toEqual(all);
    }),
  );
});

test('walked through from the last to the first, everybody is seen though each goes at once', () => {
  const roster = new Roster('outstandingPlace');
  const all = Array.from({ length: 5 }, (_, i) => stream(2 * i + 1));
  for (const one of all) roster.add(one);
  const seen: Stream[] = [];
  for (let i = roster.size - 1; i >= 0; i--) {
    const one = roster.at(i)!;
    seen.push(one);
    roster.delete(one);
  }
  expect(seen).toEqual(all.toReversed());
  expect(roster.size).toBe(0);
  expect(roster.at(0)).toBeUndefined();
});
