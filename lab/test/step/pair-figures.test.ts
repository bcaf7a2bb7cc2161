import { type DirectionSpec, plainDirection } from '@tresse/sim';
import { expect, test } from 'vitest';

import { medianReport } from '../../src/report/median.ts';
import type { StepReport } from '../../src/report/report.ts';
import { reportTable } from '../../src/report/table.ts';
import { blankReport } from '../../src/step/blank-report.ts';
import { type Pair, pairChecks, pairFigures } from '../../src/step/pair-figures.ts';
import { bestLine, inPairs } from '../../src/step/pairs.ts';
import { reportWith } from '../report/reports.ts';

const side = (ms: number, from: string): Pair['bonded'] => ({ ms, whole: true, from, why: '' });
const pair = (bondedMs: number, directMs: number): Pair => ({
  bonded: side(bondedMs, '203.0.113.1'),
  direct: side(directMs, '100.64.1.2'),
});

const way = (rateBps: number): DirectionSpec => ({ ...plainDirection, rateBps, delayMs: 1 });

/** Names of the checks that do not hold. */
const failed = (pairs: Pair[]): string[] =>
  pairChecks('down', pairFigures('1 MB', pairs), pairs, { medianOfDirectMax: 1, p95OfDirectMax: 1.2 })
    .filter((c) => !c.ok)
    .map((c) => c.name);

test('ratios are taken pair by pair', () => {
  const figures = pairFigures('1 MB', [pair(50, 100), pair(300, 200), pair(90, 100)]);
  expect(figures).toEqual({
    what: '1 MB',
    count: 3,
    medianMs: 90,
    directMedianMs: 100,
    medianOfDirect: 0.9,
    p95OfDirect: 1.5,
    timesMs: [
      [50, 100],
      [300, 200],
      [90, 100],
    ],
  });
});

const run = (ms: number): StepReport => ({
  ...blankReport('pairs', 'down', 1),
  pairs: [pairFigures('1 MB', [pair(ms, 100)])],
});

test('several runs are one by their medians, and people read the ratios', () => {
  const [first, ...more] = [40, 90, 60].map((ms) => reportWith({}, run(ms)));
  const table = reportTable(medianReport([first!, ...more]));
  expect(table).toContain(
    '1 MB, 1 pairs: 0.600 of the direct time in the median, 0.600 at the 95th percentile (60 and 100 ms)',
  );
});

test('limits hold for the ratios; a transfer that broke or went another way fails whatever the figures are', () => {
  const good = pair(50, 100);
  expect(failed([good, good])).toEqual([]);
  expect(failed([good, good, pair(130, 100)])).toEqual(['down, 1 MB: 95th percentile of direct']);
  expect(failed([pair(110, 100)])).toEqual(['down, 1 MB: median of direct']);
  const truth = 'down, 1 MB: every one whole, and seen from where it should be';
  expect(failed([{ ...good, bonded: { ...good.bonded, whole: false } }])).toEqual([truth]);
  expect(failed([{ ...good, bonded: { ...good.bonded, from: '100.64.1.2' } }])).toEqual([truth]);
  expect(failed([{ ...good, direct: { ...good.direct, from: '203.0.113.1' } }])).toEqual([truth]);
});

test('each of the two comes first in turn', async () => {
  const order: string[] = [];
  const play =
    (name: string) =>
    (i: number): Promise<Pair['bonded']> => {
      order.push(`${name}${i}`);
      return Promise.resolve(side(i, name));
    };
  const pairs = await inPairs(2, play('bonded'), play('direct'));
  expect(order).toEqual(['bonded0', 'direct0', 'direct1', 'bonded1']);
  expect(pairs.map(({ bonded, direct }) => [bonded.from, direct.from])).toEqual([
    ['bonded', 'direct'],
    ['bonded', 'direct'],
  ]);
});

test('the best line is the fastest of the direction', () => {
  const lines = [
    { name: 'a', kind: 'adsl', down: way(8e6), up: way(5e6) },
    { name: 'b', kind: 'cable', down: way(9e6), up: way(1e6) },
  ];
  expect([bestLine(lines, 'down'), bestLine(lines, 'up')]).toEqual([1, 0]);
});
