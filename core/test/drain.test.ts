import { expect, test } from 'vitest';

import { Dialer } from '../src/dialer.ts';
import { strandBytesMax } from '../src/limits.ts';
import { StrandRole } from '../src/opening.ts';
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

test('a strand that has carried enough is drained, its peer told, and another one dialled', () => {
  const { bench, dialer } = path();
  const worn = bench.session.strands.get(2)!;
  expect(dialer.poll(bench.nowMs)).toBeUndefined();
  worn.bytesOut = strandBytesMax;
  bench.nowMs += 1_000;
  bench.session.tick(bench.nowMs);
  expect(worn.draining).toBe(true);
  expect(worn.drained).toBe(false);
  expect(bench.poll().filter(({ frames }) => frames.some(([kind]) => kind === 'drain'))).toMatchObject([{ strand: 2 }]);
  expect(dialer.poll(bench.nowMs)).toEqual({ path: 1, role: StrandRole.bulk });
  worn.unsentBytes = 0;
  expect(worn.drained).toBe(true);
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
