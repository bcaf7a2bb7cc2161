/** Small requests beside transfers: they do not wait, and the transfers get what is left. */
import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { asking, giving, type LineSpec, plainStream, promptPeer, type StreamSpec, World } from '../src/index.ts';

const line = (downMbit: number, upMbit: number, delayMs: number, queueMs: number): LineSpec => ({
  downBps: downMbit * 1e6,
  upBps: upMbit * 1e6,
  delayMs,
  jitterMs: 0,
  lossRatio: 0,
  queueMs,
});

const household = [line(8, 1, 15, 100), line(40, 10, 22, 100), line(100, 15, 18, 100)];
const bloated = [line(20, 5, 20, 1_000), line(40, 10, 25, 1_000)];

const bulkFromMs = 1_000;
const asksFromMs = 4_000;
const untilMs = 12_000;
const requestBytes = 30_000;

interface Figures {
  /** First bytes of the requests, in order of length, ms. */
  readonly firstMs: readonly number[];
  /** What the bulk got of the lines' rates. */
  readonly down: number;
  readonly up: number;
  readonly suspicions: number;
}

const sum = (lines: readonly LineSpec[], of: 'downBps' | 'upBps'): number => lines.reduce((all, l) => all + l[of], 0);

/** Five requests a second, beside bulk in both directions or on idle lines. */
function ask(lines: readonly LineSpec[], seed: number, beside: boolean): Figures {
  const bulk = [plainStream(bulkFromMs, asking, giving(1e9)), plainStream(bulkFromMs, giving(1e9), promptPeer)];
  const requests: StreamSpec[] = [];
  const prng = new Prng(seed);
  for (let ms = asksFromMs; ms < untilMs - 500; ms += 200) {
    requests.push(plainStream(ms + prng.int(0, 100), asking, giving(requestBytes)));
  }
  const streams = beside ? [...bulk, ...requests] : requests;
  const world = new World({ seed, lines, streams, socketBytes: 4_194_304, tickMs: 2 });
  const taken = (): [number, number] =>
    beside ? [world.flows[0]?.box?.outcome.taken ?? 0, world.flows[1]?.relay?.outcome.taken ?? 0] : [0, 0];
  world.clock.run(asksFromMs);
  const before = taken();
  world.clock.run(untilMs);
  const after = taken();
  const asked = world.flows.slice(beside ? bulk.length : 0);
  for (const flow of asked) expect(flow.box?.outcome.taken).toBe(requestBytes);
  const share = (i: 0 | 1, of: 'downBps' | 'upBps'): number =>
    ((after[i] - before[i]) * 8_000) / (untilMs - asksFromMs) / sum(lines, of);
  return {
    firstMs: asked
      .map((flow) => (flow.box?.outcome.firstMs ?? Infinity) - flow.spec.opensAtMs)
      .toSorted((a, b) => a - b),
    down: share(0, 'downBps'),
    up: share(1, 'upBps'),
    suspicions: [world.box, world.relay].reduce((all, side) => all + side.session.counters.pathSuspicions, 0),
  };
}

const quantile = (values: readonly number[], share: number): number =>
  values[Math.floor(values.length * share)] ?? Infinity;

test.each([
  ['household lines', household, 1],
  ['household lines', household, 2],
  ['lines with a second of buffer', bloated, 1],
  ['lines with a second of buffer', bloated, 2],
])('on %s requests hardly wait beside bulk both ways, which loses little, run %#', (_name, lines, seed) => {
  const idle = ask(lines, seed, false);
  const loaded = ask(lines, seed, true);
  expect(quantile(loaded.firstMs, 0.5)).toBeLessThan(quantile(idle.firstMs, 0.5) + 30);
  expect(quantile(loaded.firstMs, 0.9)).toBeLessThan(quantile(idle.firstMs, 0.5) + 55);
  expect(loaded.down).toBeGreaterThan(0.85);
  expect(loaded.up).toBeGreaterThan(0.85);
  expect(loaded.suspicions).toBe(0);
});
