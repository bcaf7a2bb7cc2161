/** What the policy of the braid is there for, one case each, held against the policy without it. */
import { type Policy, shippedPolicy, Turns } from '@tresse/core';
import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, type StreamSpec, World } from '../src/index.ts';

const line = (mbit: number, delayMs: number, change: Partial<LineSpec> = {}): LineSpec => ({
  downBps: mbit * 1e6,
  upBps: mbit * 1e6,
  delayMs,
  jitterMs: 0,
  lossRatio: 0,
  queueMs: 100,
  ...change,
});

const download = (opensAtMs: number, bytes: number): StreamSpec => ({
  opensAtMs,
  box: asking,
  relay: giving(bytes),
  connectMs: 1,
  refused: false,
  paths: [],
});

const world = (lines: readonly LineSpec[], streams: readonly StreamSpec[], policy?: Policy): World =>
  new World({ seed: 1, lines, streams, socketBytes: 4_194_304, tickMs: 2, ...(policy && { policy }) });

/** How long the last of the streams took, ms. */
function lastTook(of: World, streams: readonly StreamSpec[]): number {
  const last = streams.at(-1)!;
  const outcome = (): number | undefined => of.flows[streams.length - 1]!.box?.outcome.taken;
  expect(of.clock.run(60_000, () => outcome() === last.relay.bytes)).toBe(true);
  return of.clock.nowMs - last.opensAtMs;
}

test('a transfer does not wait at its end for what a far line got at its beginning', () => {
  const lines = [line(50, 2), line(4, 190)];
  const streams = [download(2_000, 1_500_000)];
  const without: Policy = { ...shippedPolicy, expectsAsMuch: false, overtakeMs: Infinity };
  const took = (policy: Policy): number => lastTook(world(lines, streams, policy), streams);
  const waiting = took(without);
  expect(took({ ...without, overtakeMs: shippedPolicy.overtakeMs })).toBeLessThanOrEqual(0.95 * waiting);
  expect(took({ ...without, expectsAsMuch: true })).toBeLessThanOrEqual(0.95 * waiting);
});

test('a sibling helps where the window of the strand that carries is too small for its line', () => {
  const lines = [line(40, 1, { jitterMs: 30 })];
  const streams = [download(2_000, 6_000_000)];
  const alone: Policy = { ...shippedPolicy, strands: (strands) => new Turns(strands, false) };
  expect(lastTook(world(lines, streams), streams)).toBeLessThan(0.9 * lastTook(world(lines, streams, alone), streams));
});

test('after a pause what a strand saw of its full line counts no more, and the rate is what it was', () => {
  const streams = [download(1_000, 6_000_000), download(12_000, 600_000)];
  const one = world([line(50, 5)], streams);
  one.clock.run(11_900);
  const path = one.relay.session.paths.get(1)!;
  const longestMs = Math.max(...path.strands.map((strand) => strand.rttMs));
  expect(path.delayMs).toBeLessThan(longestMs - path.minRttMs / 2);
  expect(path.measuredRate * 8).toBeGreaterThan(45e6);
  let slowest = Infinity;
  one.clock.run(12_100, () => {
    slowest = Math.min(slowest, path.measuredRate * 8);
    return false;
  });
  expect(slowest).toBeGreaterThan(40e6);
});
