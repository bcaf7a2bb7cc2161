/** What an authenticated but hostile peer can make a session hold: everything has an end. */
import { FreeListPool, heapSlab } from '@tresse/kit';
import { expect, test } from 'vitest';

import {
  aheadOfCreditBytes,
  creditFloorBytes,
  loggedItemsMax,
  messageBurstBytes,
  receiveBudgetBytes,
  sendBudgetBytes,
  sendFloorBytes,
  streamsMax,
} from '../../src/limits.ts';
import { SessionState } from '../../src/session/session-state.ts';
import type { Strand } from '../../src/strand/strand.ts';
import { CreditBudget } from '../../src/stream/credit.ts';
import type { Local } from '../../src/stream/local.ts';
import { Stream } from '../../src/stream/stream.ts';
import { StreamClass } from '../../src/wire/frame.ts';
import { SessionBench, target } from '../session/session-bench.ts';

const unlimited = Number.MAX_SAFE_INTEGER;

/** A relay whose box opens streams at will. */
class Assault {
  readonly bench: SessionBench = new SessionBench('relay');
  readonly strand: Strand = this.bench.strand(1);
  #next = 1;

  /** Opens a stream with a connection behind it. */
  open(credit = unlimited): Stream {
    const id = this.#next;
    this.#next += 2;
    const { bench } = this;
    // No faster than a relay lets it.
    bench.nowMs += 2;
    const wrong = bench.hear(this.strand, (w) => {
      w.open(id, StreamClass.interactive, [], target);
      w.credit(id, credit);
    });
    expect(wrong).toBeUndefined();
    const stream = bench.connecting.pop();
    if (!stream) throw new Error('the relay was to connect');
    bench.session.handleConnected(stream, bench.nowMs);
    return stream;
  }

  /** A server that sends as long as it may, 16 KiB at a time. */
  pour(stream: Stream, most = 2 * sendBudgetBytes): void {
    const { bench } = this;
    for (let given = 0; given < most && bench.session.mayRead(stream); given += 16_384) bench.give(stream, 16_384);
  }
}

test('a box that acknowledges nothing fills its own share, and its next stream still has one', () => {
  const assault = new Assault();
  const { bench } = assault;
  const held = Array.from({ length: 6 }, () => {
    const stream = assault.open();
    for (let turn = 0; turn < 50; turn++) {
      assault.pour(stream);
      bench.nowMs += 2;
      bench.poll();
    }
    return stream.send.heldBytes;
  });
  expect(held[0]).toBeLessThanOrEqual(sendBudgetBytes / 2 + 65_536);
  for (const bytes of held) expect(bytes).toBeGreaterThanOrEqual(sendFloorBytes);
  expect(bench.session.heldBytes).toBeLessThanOrEqual(sendBudgetBytes);
});

test('thousands of streams that are never acknowledged stay within twice the budget and their floors', () => {
  const assault = new Assault();
  for (let i = 0; i < streamsMax; i++) assault.pour(assault.open());
  expect(assault.bench.session.heldBytes).toBeLessThanOrEqual(2 * sendBudgetBytes + streamsMax * creditFloorBytes);
});

test('what a stalled reader has no credit for is not read ahead', () => {
  const assault = new Assault();
  const stream = assault.open(creditFloorBytes);
  assault.pour(stream);
  expect(stream.send.heldBytes).toBeLessThanOrEqual(creditFloorBytes + aheadOfCreditBytes + 16_384);
  const before = stream.send.end;
  assault.bench.told.length = 0;
  assault.bench.hear(assault.strand, (w) => w.credit(stream.id, unlimited));
  expect(assault.bench.told).toEqual([`room ${stream.id}`]);
  assault.pour(stream);
  expect(stream.send.end).toBeGreaterThan(before);
});

test('without acknowledgements only so much is on its way, whatever is asked', () => {
  const assault = new Assault();
  const { bench, strand } = assault;
  for (let i = 0; i < 40_000; i++) {
    const stream = assault.open(creditFloorBytes);
    bench.hear(strand, (w) => w.reset(stream.id, 0));
    if (i % 64 === 0) bench.poll();
  }
  expect(strand.sent.length).toBeLessThanOrEqual(loggedItemsMax);
  // Acknowledgements of its own frames still go: they need no log.
  bench.hear(strand, (w) => w.ping(5));
  expect(bench.frames('pong')).toEqual([['pong', 5]]);
  // It comes to its senses: so does the relay.
  bench.hear(strand, (w) => w.ack(strand.id, strand.recordsSent, 0));
  expect(strand.sent.length).toBe(0);
});

test('opening and resetting without end leaves nothing in the queues while no line takes anything', () => {
  const local: Local = {
    connect: () => {},
    deliver: () => 0,
    unacknowledged: () => 0,
    ended: () => {},
    reset: () => {},
    room: () => {},
    released: () => {},
  };
  const pool = new FreeListPool(heapSlab, 0);
  const budget = new CreditBudget(receiveBudgetBytes);
  const state = new SessionState('relay', local, pool, budget, 0);
  const survivor = new Stream(1, StreamClass.bulk, target, [], false, pool, budget, 0);
  state.streams.set(1, survivor);
  state.pend(survivor, 'credit');
  for (let id = 3; id < 100_000; id += 2) {
    const stream = new Stream(id, StreamClass.interactive, target, [], false, pool, budget, 0);
    state.streams.set(id, stream);
    state.pend(stream, 'credit');
    state.pend(stream, 'opened');
    const { slab, start } = stream.send.reserve();
    slab.bytes.fill(1, start, start + 10);
    stream.send.commit(10);
    state.ready(stream);
    state.drop(stream);
    state.forget(stream);
  }
  expect(state.pending.length).toBeLessThan(10_000);
  expect(state.interactive.length).toBeLessThan(10_000);
  expect(state.pending.at(0)?.stream).toBe(survivor);
  expect(pool.usedBytes).toBe(0);
});

test('one-byte holes end the strand before they cost more than twice the windows', () => {
  const assault = new Assault();
  const { bench, strand } = assault;
  const streams = Array.from({ length: 64 }, () => assault.open());
  let violations = 0;
  for (const stream of streams) {
    let wrong: string | undefined;
    for (let offset = 1; wrong === undefined && offset < 60_000; offset += 2) {
      wrong = bench.hear(strand, (w) => w.data(stream.id, offset, 1));
    }
    expect(wrong).toMatch(/^(?:piece-cost|credit-exceeded)$/u);
    violations++;
  }
  const windows = streams.reduce((sum, { credit }) => sum + credit.windowBytes + 3 * creditFloorBytes, 0);
  expect(bench.pool.usedBytes).toBeLessThanOrEqual(windows);
  expect(bench.session.counters.violations).toBe(violations);
});

test('a box that talks without end is heard up to its allowance, and again after a while', () => {
  const bench = new SessionBench('relay');
  const strand = bench.strand(1);
  const empty = (count: number, from: number): string | undefined =>
    bench.hear(strand, (w) => {
      const at = w.data(0, from, 4 * count);
      w.bytes.fill(0, at, at + 4 * count);
    });
  expect(empty(5_000, 0)).toBe('message-rate');
  const heard = bench.told.filter((line) => line.startsWith('message')).length;
  expect(heard).toBe(messageBurstBytes / 1_024);
  expect(bench.session.counters.messagesRefused).toBe(5_000 - heard);
  bench.nowMs += 60_000;
  expect(empty(10, 20_000)).toBeUndefined();
  expect(bench.told.filter((line) => line.startsWith('message'))).toHaveLength(heard + 10);
});

test('a flood of PINGs is answered once', () => {
  const { bench, strand } = new Assault();
  bench.poll();
  bench.hear(strand, (w) => {
    for (let token = 1; token <= 4_000; token++) w.ping(token);
  });
  expect(bench.frames('pong')).toEqual([['pong', 4_000]]);
});

test('a line said to fall and rise thousands of times in a record ends as said last, and loses nothing', () => {
  const assault = new Assault();
  const { bench, strand } = assault;
  const stream = assault.open();
  bench.give(stream, 1_000);
  bench.poll();
  const flap = (count: number, from: number): void => {
    bench.hear(strand, (w) => {
      for (let i = 0; i < count; i++) w.path(1, from + i, i % 2, false, 0);
    });
  };
  flap(3_000, 1);
  expect(bench.session.paths.get(1)?.up).toBe(true);
  expect(bench.session.counters.chunksSentAgain).toBe(0);
  flap(3_001, 4_000);
  expect(bench.session.paths.get(1)?.up).toBe(false);
  expect(bench.session.counters.chunksSentAgain).toBe(1);
});

test('streams have an end: those beyond the limit are reset, and a box that goes on loses its strand', () => {
  const { bench, strand } = new Assault();
  let id = 1;
  let wrong: string | undefined;
  while (wrong === undefined && id < 8 * streamsMax) {
    // Not too many a second, but for ever.
    bench.nowMs += 2;
    wrong = bench.hear(strand, (w) => w.open(id, StreamClass.bulk, [], target));
    id += 2;
  }
  expect(wrong).toBe('streams-exceeded');
  expect(bench.connecting).toHaveLength(streamsMax);
  expect(bench.session.streams.size).toBe(2 * streamsMax);
});
