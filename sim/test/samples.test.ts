/** Worlds of the simulator as the lab played them (tools/samples.ts): simulated and real goodput agree within the bounds of docs/simulator.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { drawSample, simulatedBps } from '../src/index.ts';

const file = join(import.meta.dirname, 'sample-figures.json');
const figures = JSON.parse(readFileSync(file, 'utf8')) as { seed: number; goodputBps: number[] }[];
/** One run says little: the machine may have had other things to do, which only takes away. */
const played = figures.filter(({ goodputBps }) => goodputBps.length >= 2);

test.each(played)('world $seed', ({ seed, goodputBps }) => {
  const sample = drawSample(seed);
  const sumBps = sample.lines.reduce((sum, line) => sum + line.down.rateBps, 0);
  const runs = [1, 2, 3, 4, 5].map((chance) => simulatedBps(sample, chance)).toSorted((a, b) => a - b);
  expect(Math.abs((runs[2] ?? 0) - Math.max(...goodputBps)) / sumBps).toBeLessThanOrEqual(0.06);
});

test('all worlds were played', () => {
  expect(played.length).toBe(figures.length);
  expect(played.length).toBe(8);
});
