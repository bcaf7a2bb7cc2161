import { expect, test } from 'vitest';

import { creditWindowBytesFirst, streamsMax } from '../../src/limits.ts';
import { type FrameWriter, ResetReason, StreamClass } from '../../src/wire/frame.ts';
import { SessionBench, target } from './session-bench.ts';

const open =
  (stream: number) =>
  (writer: FrameWriter): void =>
    writer.open(stream, StreamClass.interactive, [], target);

const data =
  (stream: number, offset: number, length: number) =>
  (writer: FrameWriter): void => {
    writer.bytes.fill(7, writer.data(stream, offset, length), writer.at);
  };

function unknown(writer: FrameWriter): void {
  const { at } = writer;
  writer.padding(0);
  writer.bytes[at] = 0x40;
}

/** A relay with one strand and one connected stream, number 1. */
function relayWithStream(): { bench: SessionBench; strand: ReturnType<SessionBench['strand']> } {
  const bench = new SessionBench('relay');
  const strand = bench.strand(1);
  expect(bench.hear(strand, open(1))).toBeUndefined();
  bench.session.handleConnected(bench.connecting[0]!, bench.nowMs);
  bench.poll();
  bench.told.length = 0;
  return { bench, strand };
}

test.each<[string, string, (writer: FrameWriter) => void]>([
  ['bytes beyond the credit', 'credit-exceeded', data(1, creditWindowBytesFirst, 1)],
  ['bytes of a stream never opened', 'stream-without-open', data(3, 0, 1)],
  ['a FIN of a stream never opened', 'stream-without-open', (w) => w.fin(3, 0)],
  ['a RESET of a stream never opened', 'stream-without-open', (w) => w.reset(3, 1)],
  ['credit for a stream of ours that we never opened', 'stream-without-open', (w) => w.credit(2, 1)],
  ['an OPEN with our own kind of number', 'stream-number', open(2)],
  ['an OPEN far ahead', 'stream-number', open(1 + 2 * streamsMax + 2)],
  ['an acknowledgement of records never sent', 'ack-beyond-sent', (w) => w.ack(1, 1_000, 0)],
  ['an unknown frame', 'frame-unknown', unknown],
])('%s: a violation, counted, and the record is not acknowledged', (_what, wrong, write) => {
  const { bench, strand } = relayWithStream();
  const received = strand.recordsReceived;
  expect(bench.hear(strand, write)).toBe(wrong);
  expect(strand.recordsReceived).toBe(received);
  expect(bench.session.counters.violations).toBe(1);
});

test('an end may not move, nor bytes come behind it', () => {
  const { bench, strand } = relayWithStream();
  expect(bench.hear(strand, (w) => w.fin(1, 10))).toBeUndefined();
  expect(bench.hear(strand, (w) => w.fin(1, 10))).toBeUndefined();
  expect(bench.hear(strand, (w) => w.fin(1, 11))).toBe('end-changed');
  expect(bench.hear(strand, data(1, 5, 6))).toBe('offset-beyond-end');
});

test('an end before bytes that came is refused', () => {
  const { bench, strand } = relayWithStream();
  bench.hear(strand, data(1, 0, 100));
  expect(bench.hear(strand, (w) => w.fin(1, 50))).toBe('end-changed');
});

test('an OPEN connects once, whatever copies come, on any strand, also after the stream is gone', () => {
  const bench = new SessionBench('relay');
  const [a, b] = [bench.strand(1), bench.strand(2)];
  bench.hear(a, open(1));
  bench.hear(b, open(1));
  bench.hear(b, (w) => w.reset(1, ResetReason.localReset));
  bench.hear(a, open(1));
  expect(bench.told).toEqual(['connect 1', `reset 1 ${ResetReason.localReset}`]);
  expect(bench.session.streams.size).toBe(0);
});

test('frames for a stream that is gone are dropped, and their record is acknowledged', () => {
  const { bench, strand } = relayWithStream();
  bench.hear(strand, (w) => w.reset(1, ResetReason.localReset));
  const received = strand.recordsReceived;
  expect(bench.hear(strand, data(1, 0, 10))).toBeUndefined();
  expect(bench.hear(strand, (w) => w.fin(1, 10))).toBeUndefined();
  expect(strand.recordsReceived).toBe(received + 2);
  expect(bench.frames('ack').at(-1)).toEqual(['ack', 1, received + 2, bench.nowMs * 1_000]);
});

test('the end waits for the egress connection and for every byte before it', () => {
  const bench = new SessionBench('relay');
  const strand = bench.strand(1);
  bench.appetite = 0;
  bench.hear(strand, (w) => {
    open(1)(w);
    data(1, 0, 10)(w);
    w.fin(1, 10);
  });
  expect(bench.told).toEqual(['connect 1']);
  bench.appetite = 6;
  bench.session.handleConnected(bench.connecting[0]!, bench.nowMs);
  expect(bench.told.slice(1)).toEqual(['deliver 1 6']);
  bench.session.handleLocalWritable(bench.connecting[0]!, bench.nowMs);
  expect(bench.told.slice(2)).toEqual(['deliver 1 4', 'ended 1']);
});

test('records that only acknowledge, answer or pad ask for no acknowledgement', () => {
  const { bench, strand } = relayWithStream();
  bench.hear(strand, (w) => {
    w.ack(1, 1, 0);
    w.pong(99);
    w.padding(8);
  });
  expect(strand.ackDueMs).toBe(Infinity);
  bench.hear(strand, (w) => w.ping(3));
  expect(strand.ackDueMs).toBeLessThan(Infinity);
  expect(bench.frames('pong')).toEqual([['pong', 3]]);
});

test('until an OPEN is acknowledged, each strand’s first frame of the stream has a copy before it', () => {
  const bench = new SessionBench('box');
  const [a, b] = [bench.strand(1), bench.strand(2)];
  for (const strand of [a, b]) bench.hear(strand, (w) => w.padding(0));
  bench.poll();
  const stream = bench.session.openStream(target, [], bench.nowMs);
  const [first] = bench.poll();
  expect(first!.frames.slice(0, 2).map(([name]) => name)).toEqual(['open', 'credit']);
  const other = first!.strand === a.id ? b : a;
  bench.session.handleStrandDown(first!.strand === a.id ? a : b, bench.nowMs);
  bench.give(stream, 5);
  const names = bench.poll().flatMap(({ strand, frames }) => {
    expect(strand).toBe(other.id);
    return frames.map(([name]) => name);
  });
  expect(names.filter((n) => n === 'open')).toHaveLength(1);
  expect(names.indexOf('open')).toBeLessThan(names.indexOf('credit'));
  expect(names.indexOf('open')).toBeLessThan(names.indexOf('data'));
  bench.hear(other, (w) => w.ack(other.id, other.recordsSent, 0));
  expect(stream.openAcked).toBe(true);
});

test('FIN and RESET go again when their strand ends before they are acknowledged', () => {
  const bench = new SessionBench('box');
  const [a, b] = [bench.strand(1), bench.strand(2)];
  for (const strand of [a, b]) bench.hear(strand, (w) => w.padding(0));
  const ending = bench.session.openStream(target, [], bench.nowMs);
  const resetting = bench.session.openStream(target, [], bench.nowMs);
  bench.session.handleLocalEnd(ending, bench.nowMs);
  bench.session.resetStream(resetting, ResetReason.localReset, bench.nowMs);
  const records = bench.poll();
  const carrier = records.find(({ frames }) => frames.some(([name]) => name === 'fin'))!.strand === a.id ? a : b;
  bench.session.handleStrandDown(carrier, bench.nowMs);
  const again = bench.poll().flatMap(({ frames }) => frames);
  expect(again).toContainEqual(['fin', ending.id, 0]);
  expect(again).toContainEqual(['reset', resetting.id, ResetReason.localReset]);
  const other = carrier === a ? b : a;
  bench.hear(other, (w) => w.ack(other.id, other.recordsSent, 0));
  expect(bench.session.streams.has(resetting.id)).toBe(false);
  bench.hear(other, (w) => w.fin(ending.id, 0));
  expect(bench.told).toEqual([`ended ${ending.id}`, `released ${ending.id}`]);
  expect(bench.session.streams.size).toBe(0);
});

test('chunks of a strand that ends go again elsewhere, with the same boundaries', () => {
  const bench = new SessionBench('box');
  const [a, b] = [bench.strand(1), bench.strand(2)];
  for (const strand of [a, b]) bench.hear(strand, (w) => w.padding(0));
  const stream = bench.session.openStream(target, [], bench.nowMs);
  bench.give(stream, 900);
  const sent = bench.poll().find(({ frames }) => frames.some(([name]) => name === 'data'));
  const carrier = sent!.strand === a.id ? a : b;
  bench.session.handleStrandDown(carrier, bench.nowMs);
  const [again] = bench.frames('data');
  expect(again).toEqual(sent!.frames.find(([name]) => name === 'data'));
  expect(bench.session.counters.bytesSentAgain).toBe(900);
  const other = carrier === a ? b : a;
  bench.hear(other, (w) => w.ack(other.id, other.recordsSent, 0));
  expect(bench.session.heldBytes).toBe(0);
  expect(bench.pool.usedBytes).toBe(0);
});

test('the relay is told of a fallen carrier on every living line, and sends nothing new there', () => {
  const box = new SessionBench('box');
  const [a, b] = [box.strand(1), box.strand(2)];
  for (const strand of [a, b]) box.hear(strand, (w) => w.padding(0));
  box.poll();
  box.session.handlePathState(1, false, false, box.nowMs);
  const told = box.poll().filter(({ frames }) => frames.some(([name]) => name === 'path'));
  expect(told.map(({ strand }) => strand)).toEqual([b.id]);
  const relay = new SessionBench('relay');
  const [c, d] = [relay.strand(1), relay.strand(2)];
  relay.hear(c, open(1));
  relay.hear(d, (w) => w.path(1, 1, 0, false, 0));
  relay.session.handleConnected(relay.connecting[0]!, relay.nowMs);
  relay.poll();
  relay.give(relay.connecting[0]!, 500);
  expect(relay.poll().map(({ strand }) => strand)).toEqual([d.id]);
  // An older word does not undo a newer one.
  relay.hear(d, (w) => w.path(1, 1, 1, false, 0));
  expect(relay.session.paths.get(1)!.up).toBe(false);
});

test('the session’s end resets every stream and gives all memory back', () => {
  const { bench, strand } = relayWithStream();
  bench.give(bench.connecting[0]!, 1_000);
  bench.appetite = 0;
  bench.hear(strand, data(1, 0, 500));
  bench.session.end(bench.nowMs);
  expect(bench.told).toEqual([`reset 1 ${ResetReason.sessionEnded}`]);
  expect(bench.pool.usedBytes).toBe(0);
  expect(bench.session.heldBytes).toBe(0);
});
