import { expect, test } from 'vitest';

import type { Stream } from '../../src/stream/stream.ts';
import { SessionBench, target } from '../session/session-bench.ts';

/** A box with one strand and streams that have each received so many bytes; nothing is on its way any more. */
function benchWith(streams: number, bytes: number, unacknowledgedBytes: number): SessionBench {
  const bench = new SessionBench('box');
  const strand = bench.strand(1);
  bench.unacknowledgedBytes = unacknowledgedBytes;
  bench.hear(strand, (w) => w.padding(0));
  for (let i = 0; i < streams; i++) bench.session.openStream(target, [], bench.nowMs);
  bench.poll();
  bench.hear(strand, (w) => w.ack(1, strand.recordsSent, 0));
  for (const stream of bench.session.streams.values()) bench.hear(strand, (w) => w.data(stream.id, 0, bytes));
  quiet(bench);
  bench.asked = 0;
  return bench;
}

/** Everything is sent and acknowledged, and no probe is due. */
function quiet(bench: SessionBench): void {
  const strand = bench.session.strands.get(1)!;
  bench.poll();
  bench.hear(strand, (w) => w.ack(1, strand.recordsSent, 0));
  strand.pingDueMs = Infinity;
  strand.ackDueMs = Infinity;
}

/** Lets time pass as an engine does. Returns how often it looked. */
function pass(bench: SessionBench, forMs: number): number {
  const endMs = bench.nowMs + forMs;
  let looks = 0;
  for (let nextMs = bench.session.nextTimeoutMs(bench.nowMs); nextMs <= endMs; looks++) {
    bench.nowMs = nextMs;
    bench.session.tick(nextMs);
    quiet(bench);
    nextMs = bench.session.nextTimeoutMs(nextMs);
  }
  bench.nowMs = endMs;
  return looks;
}

const first = (bench: SessionBench): Stream => bench.session.streams.values().next().value!;

test('a reader that stands still is asked about ever more seldom, and its session is looked at no more often', () => {
  const bench = benchWith(1, 1_000, 1_000);
  pass(bench, 100);
  expect(bench.asked).toBeGreaterThan(3);
  bench.asked = 0;
  const looks = pass(bench, 10_000);
  expect(bench.asked).toBeGreaterThan(100);
  expect(bench.asked).toBeLessThan(200);
  expect(looks).toBeLessThan(200);
});

test('when it goes on it is asked every 2 ms, until all is acknowledged, and then not any more', () => {
  const bench = benchWith(1, 60_000, 60_000);
  pass(bench, 10_000);
  bench.asked = 0;
  for (let i = 0; i < 50; i++) {
    bench.unacknowledgedBytes -= 1_000;
    pass(bench, i === 0 ? 64 : 2);
  }
  expect(bench.asked).toBeGreaterThan(40);
  bench.unacknowledgedBytes = 0;
  pass(bench, 64);
  bench.asked = 0;
  pass(bench, 1_000);
  expect(bench.asked).toBe(0);
  expect(first(bench).unackedPlace).toBe(-1);
});

test('what comes in for it is asked about at once', () => {
  const bench = benchWith(1, 1_000, 1_000);
  pass(bench, 10_000);
  bench.asked = 0;
  const stream = first(bench);
  bench.hear(bench.session.strands.get(1)!, (w) => w.data(stream.id, 1_000, 1_000));
  expect(bench.asked).toBe(1);
  quiet(bench);
  pass(bench, 2);
  expect(bench.asked).toBe(2);
});

test('of a thousand that have all moved each is asked within a few looks, a bounded number at a time', () => {
  const bench = benchWith(1_000, 100, 100);
  pass(bench, 1_000);
  bench.unacknowledgedBytes = 0;
  let most = 0;
  for (let i = 0; i < 32; i++) {
    bench.asked = 0;
    pass(bench, 2);
    most = Math.max(most, bench.asked);
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(512);
  bench.asked = 0;
  pass(bench, 1_000);
  expect(bench.asked).toBe(0);
});

test('a stream that ends is not asked about', () => {
  const bench = benchWith(2, 1_000, 1_000);
  const [one, other] = [...bench.session.streams.values()];
  bench.hear(bench.session.strands.get(1)!, (w) => w.fin(one!.id, 1_000));
  bench.hear(bench.session.strands.get(1)!, (w) => w.reset(other!.id, 0));
  bench.asked = 0;
  pass(bench, 1_000);
  expect(bench.asked).toBe(0);
});
