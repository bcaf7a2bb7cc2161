/** Streams that the relay opens, for connections to its published ports: the same rules, with box and relay changed about. */
import { expect, test } from 'vitest';

import { opensPerSecond, opensSavedS } from '../../src/limits.ts';
import { type FrameWriter, ResetReason, StreamClass } from '../../src/wire/frame.ts';
import { SessionBench, target } from './session-bench.ts';

const client = { address: Uint8Array.of(203, 0, 113, 9), port: 40_000 };
const open =
  (stream: number) =>
  (writer: FrameWriter): void =>
    writer.open(stream, StreamClass.interactive, [], target, 7, client);

test('a relay numbers its streams 2, 4, 6, beside those of the box, and opens one by its first frame', () => {
  const bench = new SessionBench('relay');
  const strand = bench.strand(1);
  bench.hear(strand, open(1));
  const streams = [1, 2].map(() => bench.session.openStream(target, [], bench.nowMs, { host: 7, client }));
  bench.give(streams[0]!, 100);
  const frames = bench.poll().flatMap((record) => record.frames);
  expect(frames.filter(([kind]) => kind === 'open').map(([, id]) => id)).toEqual([2, 4]);
  expect(frames.find(([kind]) => kind === 'open')?.slice(-2)).toEqual([[203, 0, 113, 9], 40_000]);
  expect(frames.findIndex(([kind, id]) => kind === 'data' && id === 2)).toBeGreaterThan(
    frames.findIndex(([kind, id]) => kind === 'open' && id === 2),
  );
  expect([...bench.session.streams.keys()].toSorted((a, b) => a - b)).toEqual([1, 2, 4]);
});

test('a box connects a stream of the relay once, carries it, and tells each end by itself', () => {
  const bench = new SessionBench('box');
  const strand = bench.strand(1);
  expect(bench.hear(strand, open(2))).toBeUndefined();
  expect(bench.hear(strand, open(2))).toBeUndefined();
  expect(bench.told).toEqual(['connect 2']);
  expect(bench.connecting[0]).toMatchObject({ id: 2, host: 7, opener: false, client });
  bench.session.handleConnected(bench.connecting[0]!, bench.nowMs);
  expect(bench.frames('opened')).toHaveLength(1);
  bench.hear(strand, (writer) => {
    writer.bytes.fill(7, writer.data(2, 0, 50), writer.at);
    writer.fin(2, 50);
  });
  expect(bench.told.slice(1)).toEqual(['deliver 2 50', 'ended 2']);
  // The other direction is open still.
  bench.give(bench.connecting[0]!, 30);
  bench.session.handleLocalEnd(bench.connecting[0]!, bench.nowMs);
  const said = bench.poll().flatMap((record) => record.frames);
  expect(said.filter(([kind]) => kind === 'data' || kind === 'fin').map(([kind]) => kind)).toEqual(['data', 'fin']);
});

test('a box says why it does not connect, and takes no more than it has told', () => {
  const bench = new SessionBench('box');
  const strand = bench.strand(1);
  bench.hear(strand, open(2));
  bench.session.resetStream(bench.connecting[0]!, ResetReason.forbidden, bench.nowMs);
  expect(bench.frames('reset').map(([, id, reason]) => [id, reason])).toEqual([[2, ResetReason.forbidden]]);
  expect(bench.hear(strand, open(3))).toBe('stream-number');
  for (let id = 4; id <= 2 * (opensPerSecond * opensSavedS + 8); id += 2) bench.hear(strand, open(id));
  expect(bench.connecting.length).toBe(opensPerSecond * opensSavedS);
  const refused = bench.frames('reset');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every(([, , reason]) => reason === ResetReason.limit)).toBe(true);
});
