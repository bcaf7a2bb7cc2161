import { expect, test } from 'vitest';

import { Pacing } from '../../src/line/pacing.ts';

const rttMs = 40;

/** A line in steady state: the queue grows by what is let out above its rate. Returns the shares and queues of each round. */
function run(estimateOfTrue: number, rounds: number): { share: number; queueMs: number }[] {
  const pacing = new Pacing();
  const seen: { share: number; queueMs: number }[] = [];
  let queueMs = 0;
  for (let i = 0; i < rounds; i++) {
    pacing.steer(queueMs, 0, rttMs + queueMs, true, i * rttMs);
    const carried = pacing.share * estimateOfTrue;
    queueMs = Math.max(0, queueMs + (carried - 1) * rttMs);
    seen.push({ share: carried, queueMs });
  }
  return seen;
}

test.each([0.8, 0.9, 1, 1.1])('a line whose estimate is %d of what it carries is used, with a short queue', (ratio) => {
  const settled = run(ratio, 400).slice(200);
  const mean = settled.reduce((sum, one) => sum + Math.min(one.share, 1), 0) / settled.length;
  expect(mean).toBeGreaterThan(0.95);
  expect(Math.max(...settled.map((one) => one.queueMs))).toBeLessThan(25);
});

test('a queue lessens the pace at once, and a long one leaves a tenth', () => {
  const pacing = new Pacing();
  pacing.steer(30, 0, rttMs, true, 1_000);
  expect(pacing.share).toBeLessThan(0.75);
  pacing.steer(1_000, 0, 1_000, true, 2_000);
  expect(pacing.share).toBe(0.1);
});

test('who gives less than the pace allows proves nothing', () => {
  const pacing = new Pacing();
  for (let i = 0; i < 100; i++) pacing.steer(0, 0, rttMs, false, i * rttMs);
  expect(pacing.share).toBe(0.97);
});

test('it is steered by round trips, however often it is asked', () => {
  const [often, seldom] = [new Pacing(), new Pacing()];
  for (let ms = 0; ms < 400; ms++) often.steer(0, 0, rttMs, true, ms);
  for (let ms = 0; ms < 400; ms += rttMs / 2) seldom.steer(0, 0, rttMs, true, ms);
  expect(often.share).toBe(seldom.share);
});
