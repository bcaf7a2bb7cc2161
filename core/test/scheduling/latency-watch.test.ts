import { FreeListPool, heapSlab } from '@tresse/kit';
import { expect, test } from 'vitest';

import { LatencyWatch } from '../../src/scheduling/latency-watch.ts';
import { CreditBudget } from '../../src/stream/credit.ts';
import { Stream } from '../../src/stream/stream.ts';
import { StreamClass } from '../../src/wire/frame.ts';
import { target } from '../session/session-bench.ts';

const stream = (id: number): Stream =>
  new Stream(id, StreamClass.interactive, target, [], true, new FreeListPool(heapSlab, 0), new CreditBudget(0), 0);
const never = (): boolean => false;

test('an interactive stream matters for some seconds after its last bytes', () => {
  const watch = new LatencyWatch();
  expect(watch.matters(never, 0)).toBe(false);
  watch.stir(stream(1), 1_000);
  expect(watch.matters(never, 1_000)).toBe(true);
  expect(watch.matters(never, 3_900)).toBe(true);
  expect(watch.matters(never, 4_100)).toBe(false);
});

test('the beginning of a transfer does not, once it is one', () => {
  const watch = new LatencyWatch();
  const [page, file] = [stream(1), stream(3)];
  const isBulk = (one: Stream): boolean => one === file;
  watch.stir(file, 1_000);
  expect(watch.matters(isBulk, 1_001)).toBe(false);
  watch.stir(page, 1_002);
  expect(watch.matters(isBulk, 1_003)).toBe(true);
});

test('bulk the other way does while it comes', () => {
  const watch = new LatencyWatch();
  watch.bulkCame(1_000);
  expect(watch.matters(never, 1_400)).toBe(true);
  expect(watch.matters(never, 1_600)).toBe(false);
});
