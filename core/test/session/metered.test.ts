import { expect, test } from 'vitest';

import { ResetReason } from '../../src/wire/frame.ts';
import { SessionBench, target } from './session-bench.ts';

/** A box with an ordinary line 1 and a metered line 2, both answered; what there is to say was said. */
function bench(): SessionBench {
  const made = new SessionBench('box');
  made.session.handlePathState(2, true, true, made.nowMs);
  for (const id of [1, 2]) made.hear(made.strand(id), (w) => w.padding(0));
  made.poll();
  // Their TCP has acknowledged all.
  for (const strand of made.session.strands.values()) strand.outstandingSinceMs = Infinity;
  return made;
}

/** On which strands frames of a kind leave now. */
const strandsOf = (of: SessionBench, kind: string): number[] =>
  of.poll().flatMap(({ strand, frames }) => frames.filter(([name]) => name === kind).map(() => strand));

test('a metered line carries nothing while another one does, and all when none does', () => {
  const box = bench();
  // The ordinary line is the slower by far.
  box.session.strands.get(1)!.minRttMs = 500;
  box.session.strands.get(1)!.rttMs = 500;
  const stream = box.session.openStream(target, [], box.nowMs);
  box.give(stream, 1_000);
  expect(new Set(strandsOf(box, 'data'))).toEqual(new Set([1]));
  box.session.handlePathState(1, false, false, box.nowMs);
  expect(new Set(strandsOf(box, 'data'))).toEqual(new Set([2]));
  box.give(stream, 1_000);
  expect(new Set(strandsOf(box, 'data'))).toEqual(new Set([2]));
  box.session.handlePathState(1, true, false, box.nowMs);
  box.give(stream, 1_000);
  expect(new Set(strandsOf(box, 'data'))).toEqual(new Set([1]));
});

test('a rule that names a metered line is followed', () => {
  const box = bench();
  const stream = box.session.openStream(target, [2], box.nowMs);
  box.give(stream, 1_000);
  expect(new Set(strandsOf(box, 'data'))).toEqual(new Set([2]));
  const other = box.session.openStream(target, [], box.nowMs);
  box.give(other, 1_000);
  expect(new Set(strandsOf(box, 'data'))).toEqual(new Set([1]));
  box.session.resetStream(stream, ResetReason.localReset, box.nowMs);
});

test('it is pinged every 25 s, and asked for its word when the other falls silent', () => {
  const box = bench();
  const stream = box.session.openStream(target, [], box.nowMs);
  box.give(stream, 1_000);
  box.poll();
  const pings: number[] = [];
  const step = (): void => {
    box.nowMs += 50;
    box.hear(box.session.strands.get(1)!, (w) => w.padding(0));
    box.session.tick(box.nowMs);
    pings.push(...strandsOf(box, 'ping'));
  };
  for (let i = 0; i < 480; i++) step();
  expect(pings.filter((strand) => strand === 2)).toEqual([]);
  expect(pings.filter((strand) => strand === 1).length).toBeGreaterThan(50);
  for (let i = 0; i < 40; i++) step();
  expect(pings.filter((strand) => strand === 2)).toEqual([2]);
  box.hear(box.session.strands.get(2)!, (w) => w.pong(box.session.strands.get(2)!.pingToken));
  box.session.strands.get(2)!.outstandingSinceMs = Infinity;

  box.give(stream, 1_000);
  box.poll();
  box.nowMs += 180;
  box.session.tick(box.nowMs);
  expect(box.session.paths.get(1)!.suspect).toBe(false);
  expect(strandsOf(box, 'ping')).toEqual([2]);
  box.nowMs += 30;
  box.hear(box.session.strands.get(2)!, (w) => w.padding(0));
  box.session.tick(box.nowMs);
  expect(box.session.paths.get(1)!.suspect).toBe(true);
  expect(new Set(strandsOf(box, 'data'))).toEqual(new Set([2]));
});

test('limits: the relay is told its own, and each side keeps to one', () => {
  const box = bench();
  box.session.handlePathState(1, true, false, box.nowMs, { downBps: 5e6, upBps: 1e6 });
  expect(box.frames('path').map((frame) => frame.slice(1))).toContainEqual([1, 1, 1, false, 5e6]);
  expect(box.session.paths.get(1)!.allowance.limitBps).toBe(1e6);
  box.session.handlePathState(1, true, false, box.nowMs, { downBps: 5e6, upBps: 2e6 });
  expect(box.frames('path')).toEqual([]);
  expect(box.session.paths.get(1)!.allowance.limitBps).toBe(2e6);

  const relay = new SessionBench('relay');
  const strand = relay.strand(1);
  relay.hear(strand, (w) => w.path(1, 1, 1, false, 5e6));
  expect(relay.session.paths.get(1)!.allowance.limitBps).toBe(5e6);
  relay.hear(strand, (w) => w.path(1, 2, 1, false, 0));
  expect(relay.session.paths.get(1)!.allowance.limitBps).toBe(0);
});
