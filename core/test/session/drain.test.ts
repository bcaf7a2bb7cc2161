import { expect, test } from 'vitest';

import { strandBytesMax, strandOldMs } from '../../src/limits.ts';
import { Dialer } from '../../src/strand/dialer.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { SessionBench } from './session-bench.ts';

/** A box with a path of one quick strand and two bulk ones, all answered. */
function path(): { bench: SessionBench; dialer: Dialer } {
  const bench = new SessionBench('box');
  for (const [id, role] of [StrandRole.quick, StrandRole.bulk, StrandRole.bulk].entries()) {
    bench.hear(bench.strand(id + 1, 1, role), (w) => w.padding(0));
  }
  const dialer = new Dialer(bench.session);
  dialer.enable(1, true);
  bench.poll();
  return { bench, dialer };
}

/** Time passes, and the box looks at its strands. */
function pass(bench: SessionBench, ms = 1_000): void {
  bench.nowMs += ms;
  for (const strand of bench.session.strands.values()) strand.heard(bench.nowMs);
  bench.session.tick(bench.nowMs);
}

/** The strands that are told to drain now. */
const told = (bench: SessionBench): number[] =>
  bench.poll().flatMap(({ strand, frames }) => (frames.some(([kind]) => kind === 'drain') ? [strand] : []));

/** The dialler's order becomes a strand that is answered. */
function dialled(bench: SessionBench, dialer: Dialer, id: number): StrandRole | undefined {
  const order = dialer.poll(bench.nowMs);
  if (!order) return undefined;
  dialer.handleEnd(order);
  const strand = bench.strand(id, order.path, order.role);
  bench.hear(strand, (w) => w.padding(0));
  expect(dialer.handleAnswered(strand)).toEqual([]);
  return order.role;
}

test('a strand that has carried enough is drained once another one stands, and its peer is told', () => {
  const { bench, dialer } = path();
  const worn = bench.session.strands.get(2)!;
  expect(dialer.poll(bench.nowMs)).toBeUndefined();
  worn.bytesOut = strandBytesMax;
  pass(bench);
  expect([worn.retiring, worn.draining]).toEqual([true, false]);
  pass(bench);
  expect(told(bench)).toEqual([]);
  expect(dialled(bench, dialer, 4)).toBe(StrandRole.bulk);
  pass(bench);
  expect([worn.draining, worn.drained]).toEqual([true, false]);
  expect(told(bench)).toEqual([2]);
  expect(dialer.poll(bench.nowMs)).toBeUndefined();
  worn.unsentBytes = 0;
  expect(worn.drained).toBe(true);
});

test('under a newer key all strands are replaced in time, new before old', () => {
  const { bench, dialer } = path();
  bench.session.handleNewKey(bench.nowMs);
  pass(bench, strandOldMs - 1_000);
  bench.session.handleNewKey(bench.nowMs);
  expect([...bench.session.strands.values()].some((strand) => strand.retiring)).toBe(false);
  pass(bench);
  const old = [1, 2, 3].map((id) => bench.session.strands.get(id)!);
  expect(old.map((strand) => strand.retiring)).toEqual([true, true, true]);
  expect(dialled(bench, dialer, 4)).toBe(StrandRole.quick);
  expect(dialled(bench, dialer, 5)).toBe(StrandRole.bulk);
  pass(bench);
  expect(old.map((strand) => strand.draining)).toEqual([true, false, false]);
  expect(dialled(bench, dialer, 6)).toBe(StrandRole.bulk);
  pass(bench);
  expect(old.map((strand) => strand.draining)).toEqual([true, true, true]);
  expect(told(bench).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  pass(bench, strandOldMs);
  expect([4, 5, 6].some((id) => bench.session.strands.get(id)!.retiring)).toBe(false);
});

test('one path is replaced after the other, and one that cannot be does not keep the next waiting for ever', () => {
  const { bench } = path();
  bench.hear(bench.strand(10, 2), (w) => w.padding(0));
  bench.session.handleNewKey(bench.nowMs);
  pass(bench, strandOldMs);
  expect([1, 10].map((id) => bench.session.strands.get(id)!.retiring)).toEqual([true, false]);
  pass(bench, 29_000);
  expect(bench.session.strands.get(10)!.retiring).toBe(false);
  pass(bench, 1_000);
  expect([1, 10].map((id) => bench.session.strands.get(id)!.retiring)).toEqual([true, true]);
});

test('what carries is not drained before another strand has carried for a while', () => {
  const { bench, dialer } = path();
  const own = bench.session.paths.get(1)!;
  const carrier = own.bulk(bench.nowMs)!;
  carrier.oldMs = bench.nowMs;
  carrier.unackedSegments = 5;
  pass(bench, 500);
  expect(dialled(bench, dialer, 4)).toBe(StrandRole.bulk);
  pass(bench, 500);
  expect([carrier.retiring, carrier.draining]).toEqual([true, false]);
  expect(own.bulk(bench.nowMs)).not.toBe(carrier);
  pass(bench, 500);
  expect(carrier.draining).toBe(false);
  pass(bench, 600);
  expect(carrier.draining).toBe(true);
});

test('a drained strand gets no new chunks, and what it owes is still kept', () => {
  const { bench } = path();
  for (const id of [1, 2]) bench.session.strands.get(id)!.draining = true;
  const stream = bench.session.openStream({ address: Uint8Array.of(198, 51, 100, 1), port: 80 }, [], bench.nowMs);
  bench.give(stream, 100);
  expect(bench.poll().map(({ strand }) => strand)).toEqual([3, 3]);
});

test('a relay that is told to drain sends nothing new there', () => {
  const bench = new SessionBench('relay');
  const [worn, fresh] = [bench.strand(1, 1), bench.strand(2, 1)];
  bench.hear(worn, (w) => w.drain());
  bench.poll();
  bench.session.sendMessage(Uint8Array.of(1), bench.nowMs);
  expect(bench.poll().map(({ strand }) => strand)).toEqual([fresh.id]);
});

test('a relay goes on with a bulk strand that carries until another one is warm', () => {
  const bench = new SessionBench('relay');
  const [worn, fresh] = [bench.strand(1, 1, StrandRole.bulk), bench.strand(2, 1, StrandRole.bulk)];
  const own = bench.session.paths.get(1)!;
  expect(own.bulk(bench.nowMs)).toBe(worn);
  worn.unackedSegments = 5;
  bench.nowMs += 2_000;
  bench.hear(worn, (w) => w.drain());
  expect(worn.draining).toBe(false);
  expect(own.bulk(bench.nowMs)).toBe(fresh);
  pass(bench, 500);
  expect(worn.draining).toBe(false);
  pass(bench, 600);
  expect(worn.draining).toBe(true);
});

test('a relay that has nothing else drains all the same', () => {
  const bench = new SessionBench('relay');
  const worn = bench.strand(1, 1, StrandRole.bulk);
  bench.session.paths.get(1)!.bulk(bench.nowMs);
  worn.unackedSegments = 5;
  bench.hear(worn, (w) => w.drain());
  pass(bench, 4_000);
  expect(worn.draining).toBe(false);
  pass(bench, 1_500);
  expect(worn.draining).toBe(true);
});
