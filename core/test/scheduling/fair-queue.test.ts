import { FreeListPool, heapSlab, Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { FairQueue } from '../../src/scheduling/fair-queue.ts';
import { turnBytes } from '../../src/scheduling/round-robin.ts';
import { CreditBudget } from '../../src/stream/credit.ts';
import { Stream } from '../../src/stream/stream.ts';
import { StreamClass } from '../../src/wire/frame.ts';
import { target } from '../session/session-bench.ts';

const pool = new FreeListPool(heapSlab, 0);
const budget = new CreditBudget(0);

function streamOf(host: number, id: number): Stream {
  const stream = new Stream(id, StreamClass.bulk, target, [], true, pool, budget, 0);
  stream.host = host;
  return stream;
}

/** Serves for so many turns, each stream with pieces of the size it is given; returns the bytes of each. */
function serve(streams: readonly Stream[], turns: number, sizeOf: (stream: Stream) => number): Map<Stream, number> {
  const queue = new FairQueue();
  const sent = new Map(streams.map((stream) => [stream, 0]));
  for (const stream of streams) queue.push(stream);
  for (let i = 0; i < turns; i++) {
    const stream = queue.shift()!;
    const bytes = sizeOf(stream);
    sent.set(stream, (sent.get(stream) ?? 0) + bytes);
    queue.charge(stream, bytes);
    queue.push(stream);
    queue.settle();
    expect(queue.length).toBe(streams.length);
  }
  return sent;
}

test('streams have equal bytes, however large their pieces are', () => {
  const streams = Array.from({ length: 8 }, (_, i) => streamOf(1, i));
  const sent = [...serve(streams, 20_000, (stream) => 1_000 + 9_000 * stream.id).values()];
  expect(Math.max(...sent) - Math.min(...sent)).toBeLessThanOrEqual(2 * (64_000 + turnBytes));
});

test('hosts have equal bytes, however many streams they have', () => {
  const prng = new Prng(7);
  const streams = [streamOf(1, 0), ...Array.from({ length: 50 }, (_, i) => streamOf(2, i + 1))];
  const sent = serve(streams, 20_000, () => prng.int(500, 64_000));
  const own = sent.get(streams[0]!)!;
  const others = streams.slice(1).map((stream) => sent.get(stream)!);
  const sum = others.reduce((all, one) => all + one, 0);
  expect(Math.abs(own - sum)).toBeLessThan(200_000);
  expect(Math.max(...others) - Math.min(...others)).toBeLessThanOrEqual(2 * (64_000 + turnBytes));
});

test('one that has no line now keeps nobody waiting, and not its turn', () => {
  const [blocked, ready] = [streamOf(1, 1), streamOf(2, 2)];
  const sent = serve([blocked, ready], 1_000, (stream) => (stream === ready ? 10_000 : 0));
  expect(sent.get(ready)).toBeGreaterThan(490 * 10_000);
});

test('who comes back after a while has no more than a turn of its own, and owes what it took', () => {
  const [old, fresh] = [streamOf(1, 1), streamOf(1, 2)];
  serve([old], 100, () => 64_000);
  const sent = serve([old, fresh], 200, () => 16_000);
  expect(Math.abs(sent.get(old)! - sent.get(fresh)!)).toBeLessThanOrEqual(64_000 + turnBytes);
});

test('those that are to go are dropped, and the others stay', () => {
  const queue = new FairQueue();
  const streams = Array.from({ length: 10 }, (_, i) => streamOf(i % 3, i));
  for (const stream of streams) queue.push(stream);
  queue.retain((stream) => stream.id % 2 === 0);
  expect(queue.length).toBe(5);
  const seen: number[] = [];
  for (let stream = queue.shift(); stream; stream = queue.shift()) {
    seen.push(stream.id);
    queue.charge(stream, 100);
    queue.settle();
  }
  expect(seen.toSorted((a, b) => a - b)).toEqual([0, 2, 4, 6, 8]);
});
