import { expect, test } from 'vitest';

import type { Side } from '../../src/session/session-state.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { SessionBench, target } from './session-bench.ts';

/** How often each strand of a path is pinged in so many seconds; every one is answered. */
function pings(bench: SessionBench, seconds: number): Record<number, number> {
  const count: Record<number, number> = { 1: 0, 2: 0 };
  const endMs = bench.nowMs + seconds * 1_000;
  while (bench.nowMs < endMs) {
    bench.nowMs += 50;
    for (const { strand, frames } of bench.poll()) {
      for (const [name, token] of frames) {
        if (name !== 'ping') continue;
        count[strand] = (count[strand] ?? 0) + 1;
        bench.hear(bench.session.strands.get(strand)!, (w) => w.pong(Number(token)));
      }
    }
    for (const strand of bench.session.strands.values()) strand.outstandingSinceMs = Infinity;
    bench.session.tick(bench.nowMs);
  }
  return count;
}

function benchOf(side: Side): SessionBench {
  const bench = new SessionBench(side);
  for (const [i, role] of [StrandRole.quick, StrandRole.bulk].entries()) {
    bench.hear(bench.strand(i + 1, 1, role), (w) => w.padding(0));
  }
  pings(bench, 50);
  return bench;
}

test.each<[Side, number]>([
  ['box', 4],
  ['relay', 0],
])('idle, the %s pings a quick strand every 5 s, and a bulk one %d times in three minutes', (side, ofBulk) => {
  const { 1: quick, 2: bulk } = pings(benchOf(side), 180);
  expect(quick).toBeGreaterThanOrEqual(34);
  expect(quick).toBeLessThanOrEqual(36);
  expect(bulk).toBe(ofBulk);
});

test('while a stream lives a quick strand is pinged four times a second', () => {
  const bench = benchOf('box');
  bench.session.openStream(target, [], bench.nowMs);
  const { 1: quick = 0 } = pings(bench, 10);
  expect(quick).toBeGreaterThanOrEqual(39);
  expect(quick).toBeLessThanOrEqual(41);
});

test('a way longer than the gap between two PINGs is measured by the first', () => {
  const bench = new SessionBench('box');
  const strand = bench.strand(1);
  bench.hear(strand, (w) => w.padding(0));
  bench.session.openStream(target, [], bench.nowMs);
  const back: { atMs: number; token: number }[] = [];
  for (const endMs = bench.nowMs + 4_000; bench.nowMs < endMs; bench.nowMs += 10) {
    for (const { frames } of bench.poll()) {
      for (const [name, token] of frames) {
        if (name === 'ping') back.push({ atMs: bench.nowMs + 600, token: Number(token) });
      }
    }
    while (back[0] && back[0].atMs <= bench.nowMs) {
      const token = back.shift()?.token ?? -1;
      bench.hear(strand, (w) => w.pong(token));
    }
    strand.outstandingSinceMs = Infinity;
    bench.session.tick(bench.nowMs);
  }
  expect(bench.session.paths.get(1)!.pingRttMs).toBe(600);
  expect(back.length).toBeGreaterThan(1);
});

test('a young path is pinged until it is known whether a proxy is there', () => {
  const bench = new SessionBench('relay');
  const strand = bench.strand(1);
  let pinged = 0;
  for (let i = 0; i < 10; i++) {
    for (const { frames } of bench.poll()) {
      for (const [name, token] of frames) {
        if (name !== 'ping') continue;
        pinged++;
        bench.nowMs += 40;
        bench.hear(strand, (w) => w.pong(Number(token)));
      }
    }
  }
  expect(pinged).toBe(3);
  expect(bench.session.paths.get(1)!.wantsPings).toBe(false);
});
