/**
 * The model of a strand against the kernel: plain TCP, measured in the lab on lines alone (`tresse lab strands`), and simulated
 * on the same lines. The bounds are those of docs/simulator.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { type DirectionSpec, plainTcp } from '../src/index.ts';

interface Figures {
  seconds: number;
  lines: { line: DirectionSpec; rateBps: number[]; firstSecondBytes: number[]; gapMs: number[] }[];
}

const figures = JSON.parse(readFileSync(join(import.meta.dirname, 'strand-figures.json'), 'utf8')) as Figures;
const seeds = 9;
/** Payload in the IP bytes the lab's lines count: a full segment of a packet with time stamps. */
const payload = 1_448 / 1_500;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function simulated(spec: DirectionSpec, seed: number): { rateBps: number; firstSecondBytes: number; gapMs: number } {
  const bps = spec.rateBps * payload;
  const untilMs = figures.seconds * 1_000;
  const transfer = { opensAtMs: 0, bytes: bps * figures.seconds, down: true };
  const [seen] = plainTcp({ ...spec, downBps: bps, upBps: bps }, [transfer], [], untilMs, new Prng(seed));
  if (!seen) throw new Error('no outcome');
  const rest = seen.bytes - seen.firstSecondBytes;
  return { ...seen, rateBps: (rest * 8_000) / (seen.lastMs - seen.firstMs - 1_000) };
}

const nameOf = ({ rateBps, delayMs, jitterMs, lossRatio, queueMs, reorderRatio }: DirectionSpec): string =>
  `${rateBps / 1e6} Mbit/s, ${delayMs} ms, jitter ${jitterMs} ms, loss ${lossRatio * 100} %, queue ${queueMs} ms, reordered ${(reorderRatio ?? 0) * 100} %`;

test.each(figures.lines.map((entry) => ({ name: nameOf(entry.line), entry })))('$name', ({ entry }) => {
  const { line } = entry;
  const runs = Array.from({ length: seeds }, (_, i) => simulated(line, i + 1));
  const far = line.delayMs >= 150;
  const reordered = (line.reorderRatio ?? 0) > 0;
  expect(entry.rateBps.length).toBeGreaterThanOrEqual(3);

  // Rates from second 1 on, as shares of the line's.
  const rate = median(runs.map((run) => run.rateBps)) / line.rateBps;
  expect(Math.abs(rate - median(entry.rateBps) / line.rateBps)).toBeLessThanOrEqual(far ? 0.2 : 0.05);
  // What comes in the first second, as a share of the line's rate.
  const first = (median(runs.map((run) => run.firstSecondBytes)) * 8) / line.rateBps;
  expect(Math.abs(first - (median(entry.firstSecondBytes) * 8) / line.rateBps)).toBeLessThanOrEqual(
    reordered ? 0.25 : 0.15,
  );
  // The longest standstill: by the worst losses of a run, and so within a factor.
  const gap = median(runs.map((run) => run.gapMs));
  const labGap = median(entry.gapMs);
  expect(gap).toBeLessThanOrEqual(2 * labGap + 50);
  expect(gap).toBeGreaterThanOrEqual(labGap / 2 - 50);
});
