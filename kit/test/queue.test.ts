import fc from 'fast-check';
import { expect, test } from 'vitest';

import { NumberedQueue } from '../src/index.ts';

type Step = { readonly push: number } | 'shift' | 'clear' | 'even';

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ push: fc.integer() }) },
    { weight: 4, arbitrary: fc.constant('shift' as const) },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
    { weight: 1, arbitrary: fc.constant('even' as const) },
  ),
  { maxLength: 300 },
);

test('behaves as an array of pairs, however it grows and wraps', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new NumberedQueue<{ readonly value: number }>();
      const model: { number: number; item: { readonly value: number } }[] = [];
      for (const step of all) {
        if (step === 'shift') expect(queue.shift()).toBe(model.shift()?.item);
        else if (step === 'even') {
          queue.retain(({ value }) => value % 2 === 0);
          model.splice(0, model.length, ...model.filter(({ item }) => item.value % 2 === 0));
        } else if (step === 'clear') {
          queue.clear();
          model.length = 0;
        } else {
          const item = { value: step.push };
          queue.push(step.push, item);
          model.push({ number: step.push, item });
        }
        expect(queue.length).toBe(model.length);
        expect(queue.headNumber()).toBe(model[0]?.number ?? Infinity);
      }
      for (let i = 0; i <= model.length; i++) expect(queue.at(i)).toBe(model[i]?.item);
    }),
  );
});

test('an empty queue has no head', () => {
  const queue = new NumberedQueue<string>();
  expect(queue.shift()).toBeUndefined();
  expect(queue.headNumber()).toBe(Infinity);
  expect(queue.at(0)).toBeUndefined();
});
