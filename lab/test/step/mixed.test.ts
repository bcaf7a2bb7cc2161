import { expect, test } from 'vitest';

import type { Asked } from '../../src/measure/asking.ts';
import { medianFigures } from '../../src/report/median.ts';
import type { MixedFigures } from '../../src/report/mixed-figures.ts';
import { reportTable } from '../../src/report/table.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';
import type { MixedStep } from '../../src/scenario/scenario.ts';
import { shortForm } from '../../src/scenario/short-form.ts';
import { mixedChecks, requestFigures } from '../../src/step/mixed.ts';
import { reportWith } from '../report/reports.ts';

const scenario = parseScenario(
  'x.yaml',
  `title: t
lines: [{ name: a, kind: adsl, down: 8 Mbit/s, up: 1 Mbit/s }]
steps:
  - kind: mixed
    bytes: 30 kB
    every: 200 ms
    idle: 4 s
    time: 9 s
    limits: { ofSumMin: 0.92, firstByteOverIdleMsMax: 15, firstByteP95OverIdleMsMax: 40 }
    short: { idle: 1 s }`,
);
const step = scenario.steps[0] as MixedStep;

const requests = { asked: 100, whole: 100, firstByteMsMedian: 40, firstByteMsP95: 44, wholeMsMedian: 56 };
const bulk = { bytes: 1e8, seconds: 10, goodputBitsPerSecond: 135e6, ofSum: 0.94, stallMsMax: 20 };
const well: MixedFigures = {
  idle: requests,
  loaded: { ...requests, firstByteMsMedian: 55, firstByteMsP95: 80 },
  down: bulk,
  up: { ...bulk, ofSum: 0.93 },
};
const failed = (figures: Partial<MixedFigures>): string[] =>
  mixedChecks(step, { ...well, ...figures }, 'it').flatMap((c) => (c.ok ? [] : [c.name]));

test('requests are held against the median of those on idle lines, bulk against the sum of its direction', () => {
  expect(failed({})).toEqual([]);
  expect(failed({ idle: { ...requests, firstByteMsMedian: 39 } })).toEqual([
    'it: first byte over idle in ms, median',
    'it: first byte over idle in ms, for 95 %',
  ]);
  expect(failed({ up: { ...bulk, ofSum: 0.91 } })).toEqual(['it: bulk up, share of the sum']);
  expect(failed({ down: { ...bulk, ofSum: null } })).toEqual(['it: bulk down, share of the sum']);
});

test('a request without an answer counts as the slowest', () => {
  const answered: Asked = { beganMs: 100, answeredMs: 140, wholeMs: 160, from: 'relay', why: '' };
  const lost: Asked = { ...answered, answeredMs: null, wholeMs: null };
  expect(requestFigures([answered, lost, answered])).toEqual({
    asked: 3,
    whole: 2,
    firstByteMsMedian: 40,
    firstByteMsP95: null,
    wholeMsMedian: 60,
  });
  expect(failed({ loaded: { ...well.loaded, firstByteMsP95: null } })).toEqual([
    'it: first byte over idle in ms, for 95 %',
  ]);
});

test('the short form has its own times, a floor for the bulk, and holds what people wait for as it is', () => {
  expect(shortForm(scenario).steps[0]).toMatchObject({
    idle: 1_000,
    time: 9_000,
    limits: { ofSumMin: 0.85, firstByteOverIdleMsMax: 15, firstByteP95OverIdleMsMax: 40 },
  });
});

test('the report tells both, and medians of several runs', () => {
  const slower = { ...well, loaded: { ...well.loaded, firstByteMsMedian: 75 } };
  const mixed = medianFigures([slower, well, well]);
  expect(mixed).toEqual(well);
  expect(medianFigures([well, { ...well, down: { ...bulk, ofSum: null } }]).down.ofSum).toBeNull();
  const table = reportTable(reportWith({}, { kind: 'mixed', name: 'mixed', seconds: 14, mixed }));
  expect(table).toContain('requests on idle lines: 100 of 100 whole, first byte after 40.0 ms in the median, 44.0 ms');
  expect(table).toContain('requests beside bulk: 100 of 100 whole, first byte after 55.0 ms in the median, 80.0 ms');
  expect(table).toContain('bulk up: 135 Mbit/s, 93.0 % of the sum, longest stall 20 ms');
});
