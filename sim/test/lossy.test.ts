/** Lines that lose many packets and shake: an upload over them pauses for no longer than a chunk's second chance takes. */
import { expect, test } from 'vitest';

import { giving, type LineSpec, plainStream, promptPeer, World } from '../src/index.ts';

const line = (delayMs: number): LineSpec => ({
  downBps: 30e6,
  upBps: 10e6,
  delayMs,
  jitterMs: 15,
  lossRatio: 0.03,
  queueMs: 100,
});
const fromMs = 1_000;
const untilMs = 21_000;
const lookMs = 5;

test.each([1, 2, 3, 4, 5, 6])('3 %% of loss, seed %i', { timeout: 30_000 }, (seed) => {
  const lines = [line(15), line(25)];
  const streams = [plainStream(fromMs, giving(1e9), promptPeer)];
  const world = new World({ seed, lines, streams, socketBytes: 4_000_000, tickMs: 1 });
  const flow = world.flows[0]!;
  let heard = 0;
  let progressMs = fromMs;
  let longestMs = 0;
  for (let ms = fromMs; ms < untilMs; ms += lookMs) {
    world.clock.run(ms);
    const now = flow.relay?.outcome.taken ?? 0;
    if (now > heard) {
      longestMs = Math.max(longestMs, ms - progressMs);
      progressMs = ms;
    }
    heard = now;
  }
  expect(longestMs).toBeLessThan(400);
  expect((heard * 8) / (untilMs - fromMs) / 20e3).toBeGreaterThan(0.8);
});
