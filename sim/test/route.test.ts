import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, World } from '../src/index.ts';

const line = (downMbit: number, delayMs: number): LineSpec => ({
  downBps: downMbit * 1e6,
  upBps: 5e6,
  delayMs,
  jitterMs: 0,
  lossRatio: 0,
  queueMs: 200,
});

/** Bits per second of a download over 20 + 5 Mbit/s, seven to eleven seconds after the first line's delay changed. */
function rateAfter(factor: number): number {
  const world = new World({
    seed: 1,
    lines: [line(20, 40), line(5, 20)],
    streams: [{ opensAtMs: 500, box: asking, relay: giving(60e6), connectMs: 1, refused: false, paths: [] }],
    socketBytes: 4_194_304,
    tickMs: 2,
  });
  world.clock.run(4_000);
  world.line(1).delayMs *= factor;
  world.clock.run(11_000);
  const before = world.flows[0]!.box!.outcome.taken;
  world.clock.run(15_000);
  return ((world.flows[0]!.box!.outcome.taken - before) * 8_000) / 4_000;
}

test.each([0.5, 1, 1.2])('a line whose delay becomes %d times as long keeps its rate', (factor) => {
  expect(rateAfter(factor)).toBeGreaterThan(0.9 * 25e6);
});

test('a line whose delay doubles keeps its rate', () => {
  expect(rateAfter(2)).toBeGreaterThan(0.9 * 25e6);
});
