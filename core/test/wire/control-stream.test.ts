import { heapSlab, type Slab } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { controlCreditBytes } from '../../src/limits.ts';
import { framedMessage, messageBytesMax, MessageReader } from '../../src/wire/control-stream.ts';
import { SessionBench } from '../session/session-bench.ts';

const slabOf = (bytes: Uint8Array): Slab => {
  const slab = heapSlab(bytes.length);
  slab.bytes.set(bytes);
  return slab;
};

test('messages come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (messages, cuts) => {
        const stream = slabOf(Uint8Array.from(messages.flatMap((m) => [...framedMessage(m)])));
        const heard: Uint8Array[] = [];
        const reader = new MessageReader((message) => heard.push(message));
        for (let at = 0, i = 0; at < stream.bytes.length; i++) {
          const count = Math.min(cuts[i % cuts.length] ?? 1, stream.bytes.length - at);
          expect(reader.take(stream, at, count)).toBe(count);
          at += count;
        }
        expect(heard).toEqual(messages);
        expect(reader.broken).toBe(false);
      },
    ),
  );
});

test('a message announced too large is never collected', () => {
  const reader = new MessageReader(() => expect.unreachable());
  reader.take(slabOf(Uint8Array.of(0, 1, 0, 1, 9)), 0, 5);
  expect(reader.broken).toBe(true);
});

test('a message travels on stream 0, before anything else, and is kept until acknowledged', () => {
  const bench = new SessionBench('box');
  const strand = bench.strand(1);
  bench.hear(strand, (w) => w.padding(0));
  bench.poll();
  bench.session.sendMessage(Uint8Array.of(1, 2, 3), bench.nowMs);
  expect(bench.frames('data')).toEqual([['data', 0, 0, [0, 0, 0, 3, 1, 2, 3]]]);
  expect(bench.session.heldBytes).toBe(7);
  const other = bench.strand(2);
  bench.hear(other, (w) => w.padding(0));
  bench.session.handleStrandDown(strand, bench.nowMs);
  expect(bench.frames('data')).toEqual([['data', 0, 0, [0, 0, 0, 3, 1, 2, 3]]]);
  bench.hear(other, (w) => w.ack(2, other.recordsSent, 0));
  expect(bench.session.heldBytes).toBe(0);
  expect(bench.pool.usedBytes).toBe(0);
});

test('a message that arrives is told once, and a copy of it is not', () => {
  const bench = new SessionBench('relay');
  const strand = bench.strand(1);
  for (let copy = 0; copy < 2; copy++) {
    bench.hear(strand, (w) => w.bytes.set([0, 0, 0, 2, 8, 9], w.data(0, 0, 6)));
  }
  expect(bench.told).toEqual(['message 8,9']);
});

test('stream 0 has no OPEN, no end, and a fixed credit', () => {
  const wrongs = [
    (bench: SessionBench) => bench.hear(bench.strand(1), (w) => w.fin(0, 0)),
    (bench: SessionBench) => bench.hear(bench.strand(1), (w) => w.reset(0, 1)),
    (bench: SessionBench) => bench.hear(bench.strand(1), (w) => w.data(0, controlCreditBytes, 1)),
    (bench: SessionBench) => bench.hear(bench.strand(1), (w) => w.bytes.set([0, 1, 0, 1], w.data(0, 0, 4))),
  ];
  expect(wrongs.map((wrong) => wrong(new SessionBench('relay')))).toEqual([
    'stream-number',
    'stream-number',
    'credit-exceeded',
    'message-length',
  ]);
});

test('the end of a session gives the unsent message back', () => {
  const bench = new SessionBench('box');
  bench.session.sendMessage(new Uint8Array(messageBytesMax), bench.nowMs);
  bench.session.end(bench.nowMs);
  expect(bench.pool.usedBytes).toBe(0);
  expect(bench.session.heldBytes).toBe(0);
});
