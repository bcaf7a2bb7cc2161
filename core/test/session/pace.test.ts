import { expect, test } from 'vitest';

import { idleInfo } from '../idle-info.ts';
import { SessionBench, target } from './session-bench.ts';

/** A session with one strand on which so many segments are on their way, and when it wants to be looked at next, in ms. */
function benchWith(unackedSegments: number): { bench: SessionBench; nextMs: () => number } {
  const bench = new SessionBench('box');
  const strand = bench.strand(1);
  bench.hear(strand, (w) => w.padding(0));
  bench.poll();
  strand.pingDueMs = Infinity;
  bench.session.handleStrandInfo(strand, { ...idleInfo, unackedSegments }, bench.nowMs);
  return { bench, nextMs: () => bench.session.nextTimeoutMs(bench.nowMs) - bench.nowMs };
}

/** Lets streams be idle for two seconds, in which nothing is heard but acknowledgements. */
function idle(bench: SessionBench): void {
  const strand = bench.session.strands.get(1)!;
  for (let i = 0; i < 4; i++) {
    bench.nowMs += 500;
    strand.outstandingSinceMs = Infinity;
    bench.hear(strand, (w) => w.ack(1, strand.recordsSent, 0));
    bench.session.tick(bench.nowMs);
    bench.poll();
  }
  strand.pingDueMs = Infinity;
}

test('with nothing on its way a session is looked at once a second', () => {
  expect(benchWith(0).nextMs()).toBe(1_000);
});

test('with nothing but probes on their way, every 20 ms, however many streams are open', () => {
  const { bench, nextMs } = benchWith(1);
  expect(nextMs()).toBe(20);
  const strand = bench.session.strands.get(1)!;
  for (let i = 0; i < 3; i++) bench.session.openStream(target, [], bench.nowMs);
  bench.poll();
  expect(nextMs()).toBe(2);
  bench.hear(strand, (w) => {
    for (const stream of bench.session.streams.values()) w.opened(stream.id);
    w.ack(1, strand.recordsSent, 0);
  });
  bench.poll();
  idle(bench);
  expect(nextMs()).toBe(20);
});

test('while bytes come in, and until a while after the last, every 2 ms', () => {
  const { bench, nextMs } = benchWith(1);
  const strand = bench.session.strands.get(1)!;
  const stream = bench.session.openStream(target, [], bench.nowMs);
  bench.poll();
  bench.hear(strand, (w) => {
    w.ack(1, strand.recordsSent, 0);
    w.data(stream.id, 0, 100);
  });
  bench.poll();
  strand.pingDueMs = Infinity;
  expect(nextMs()).toBe(2);
  idle(bench);
  expect(nextMs()).toBe(20);
});

test('while a stream has bytes on their way, every 2 ms', () => {
  const { bench, nextMs } = benchWith(1);
  const strand = bench.session.strands.get(1)!;
  const stream = bench.session.openStream(target, [], bench.nowMs);
  bench.poll();
  idle(bench);
  bench.give(stream, 100);
  bench.poll();
  strand.pingDueMs = Infinity;
  expect(nextMs()).toBe(2);
  bench.hear(strand, (w) => w.ack(1, strand.recordsSent, 0));
  bench.poll();
  strand.pingDueMs = Infinity;
  expect(nextMs()).toBe(20);
});
