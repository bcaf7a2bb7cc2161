/** Transfers too small to fill a line. */
import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, plainStream, World } from '../src/index.ts';

const beginsMs = 1_000;
const gapMs = 700;
const near: LineSpec = { downBps: 100e6, upBps: 20e6, delayMs: 7, jitterMs: 0, lossRatio: 0, queueMs: 100 };
const far: LineSpec = { ...near, downBps: 20e6, upBps: 5e6, delayMs: 100 };

/** How long each of four requests for so many bytes took, one after the other, ms. */
function requests(lines: readonly LineSpec[], bytes: number): number[] {
  const streams = [0, 1, 2, 3].map((i) => plainStream(beginsMs + i * gapMs, asking, giving(bytes)));
  const world = new World({ seed: 1, lines, streams, socketBytes: 4_194_304, tickMs: 1 });
  world.clock.run(beginsMs + streams.length * gapMs);
  return world.flows.map((flow, i) => {
    expect(flow.box?.outcome.taken).toBe(bytes);
    return (flow.box?.outcome.takenMs ?? Infinity) - beginsMs - i * gapMs;
  });
}

test('what a line took once it takes at once from then on', () => {
  const [first = 0, ...later] = requests([near, far], 30_000);
  // Three round trips of a slow start.
  expect(first).toBeGreaterThan(3 * 14);
  // One, the bytes' own time and the engines' steps.
  for (const ms of later) expect(ms).toBeLessThan(14 + 12);
});

test('a feeble line that proved nothing is not given more at once', () => {
  const feeble: LineSpec = { ...near, downBps: 1e6, upBps: 1e6 };
  const both = requests([feeble, feeble], 20_000);
  // 160 kbit over 2 Mbit/s.
  for (const ms of both) expect(ms).toBeLessThan(160);
});
