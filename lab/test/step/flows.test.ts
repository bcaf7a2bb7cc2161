import { expect, test } from 'vitest';

import type { Flow } from '../../src/measure/flows.ts';
import { classFigures } from '../../src/report/flows-figures.ts';
import { reportTable } from '../../src/report/table.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';
import type { FlowsStep } from '../../src/scenario/scenario.ts';
import { shortForm } from '../../src/scenario/short-form.ts';
import { blankReport } from '../../src/step/blank-report.ts';
import { drawSizes, flowsChecks, flowsFigures } from '../../src/step/flows.ts';
import { reportWith } from '../report/reports.ts';

const scenario = parseScenario(
  'x.yaml',
  `title: t
lines: [{ name: a, kind: adsl, down: 8 Mbit/s, up: 1 Mbit/s }]
steps:
  - kind: flows
    count: 80
    sizes: { min: 1 kB, max: 10 MB }
    limits: { ofSumMin: 0.93, slowestTenthOfMedianMin: 0.3 }
    short: { sizes: { min: 1 kB, max: 100 kB } }`,
);
const step = scenario.steps[0] as FlowsStep;

/** All downloads whole, at one rate. */
const flows = drawSizes(step, 7).map((bytes, i): Flow => ({
  id: `flow-${i}`,
  bytes,
  beganMs: 10,
  firstMs: 50,
  wholeMs: 10 + bytes / 100,
  why: '',
  requests: 1,
  from: '203.0.113.1',
}));

function failed(of: readonly Flow[], ofSum: number | null = 0.95): string[] {
  const report = { ...blankReport('flows', undefined, 9), ofSum, flows: flowsFigures(step, of) };
  return flowsChecks(step, of, report, 'it').flatMap((c) => (c.ok ? [] : [c.name]));
}

test('sizes are the same for the same seed, as many in every class, in an order of chance', () => {
  const sizes = drawSizes(step, 7);
  expect(sizes).toEqual(drawSizes(step, 7));
  expect(sizes).not.toEqual(drawSizes(step, 8));
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1_000);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000_000);
  const classes = [1e4, 1e5, 1e6].map((bound) => sizes.filter((bytes) => bytes < bound).length);
  expect(classes).toEqual([20, 40, 60]);
  expect(sizes).not.toEqual(sizes.toSorted((a, b) => a - b));
});

test('a class has its median, the mean of its slowest tenth, and its slowest', () => {
  const rates = Array.from({ length: 20 }, (_, i) => i + 1);
  expect(classFigures(1, 2, rates)).toMatchObject({
    flows: 20,
    medianBitsPerSecond: 10,
    slowestTenthBitsPerSecond: 1.5,
    slowestBitsPerSecond: 1,
  });
});

test('flows of a class are held against their median, and all together against the sum', () => {
  expect(failed(flows)).toEqual([]);
  expect(failed(flows, 0.92)).toEqual(['it: share of the sum']);
  expect(failed(flows, null)).toEqual(['it: share of the sum']);
  const large = new Set(flows.filter(({ bytes }) => bytes > 2e6).slice(0, 2));
  const starved = flows.map((flow) =>
    large.has(flow) ? { ...flow, wholeMs: flow.beganMs + 4 * ((flow.wholeMs ?? 0) - flow.beganMs) } : flow,
  );
  expect(failed(starved)).toEqual(['it: slowest tenth of the median of its size class']);
});

test('one that broke, was asked for twice, or went another way fails all', () => {
  const [first, ...rest] = flows as [Flow, ...Flow[]];
  for (const bad of [{ requests: 2 }, { from: '100.64.1.2' }, { wholeMs: null, why: 'ECONNRESET' }])
    expect(failed([{ ...first, ...bad }, ...rest])).toContain(
      'it: all with the right bytes, each by one connection, by the relay',
    );
});

test('the short form has its own sizes, and a floor for the sum', () => {
  expect(shortForm(scenario).steps[0]).toMatchObject({
    count: 80,
    sizes: { min: 1_000, max: 100_000 },
    limits: { ofSumMin: 0.85, slowestTenthOfMedianMin: 0.3 },
  });
});

test('the report tells every class', () => {
  const table = reportTable(reportWith({}, { kind: 'flows', name: 'flows', flows: flowsFigures(step, flows) }));
  expect(table).toContain('80 of 80 whole');
  expect(table).toMatch(/1 kB to 10 kB: 20 flows at 800 kbit\/s in the median, .* in the slowest tenth/u);
});
