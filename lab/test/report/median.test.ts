import { expect, test } from 'vitest';

import { median, medianReport } from '../../src/report/median.ts';
import { check, truth } from '../../src/report/report.ts';
import { reportWith } from './reports.ts';

test('the middle value', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4])).toBe(4);
  expect(median([1, 2, 3, 4])).toBe(2);
});

const shares = (...values: number[]): ReturnType<typeof reportWith>[] =>
  values.map((ofSum) =>
    reportWith({ checks: [check('share', ofSum, 'min', 0.97)], verdict: ofSum >= 0.97 ? 'pass' : 'fail' }, { ofSum }),
  );

test('one bad run of three does not fail a figure', () => {
  const report = medianReport(shares(0.99, 0.9, 0.98));
  expect(report.verdict).toBe('pass');
  expect(report.checks[0]?.value).toBe(0.98);
  expect(report.steps[0]?.ofSum).toBe(0.98);
  expect(report.runs).toHaveLength(3);
});

test('two bad runs of three do', () => {
  expect(medianReport(shares(0.99, 0.9, 0.91)).verdict).toBe('fail');
});

test('of an even number the worse of the middle two is judged, for limits from below and from above', () => {
  expect(medianReport(shares(0.99, 0.96)).verdict).toBe('fail');
  const stalls = [200, 300].map((ms) => reportWith({ checks: [check('stall', ms, 'max', 250)] }));
  expect(medianReport(stalls).checks[0]).toMatchObject({ value: 300, ok: false });
});

test('a truth has to hold in every run', () => {
  const runs = [true, true, false].map((ok) => reportWith({ checks: [truth('checksum', ok, 'wrong from byte 7 on')] }));
  const report = medianReport(runs);
  expect(report.verdict).toBe('fail');
  expect(report.checks[0]).toMatchObject({ ok: false, note: 'wrong from byte 7 on' });
});

test('a figure that a run could not take fails', () => {
  const runs = [0.99, null, 0.99].map((value) => reportWith({ checks: [check('share', value, 'min', 0.97)] }));
  expect(medianReport(runs).verdict).toBe('fail');
});

test('a run that broke off fails them all', () => {
  const runs = [
    reportWith(),
    reportWith({ fault: 'the box ended', checks: [], steps: [], verdict: 'fail' }),
    reportWith(),
  ];
  expect(medianReport(runs).verdict).toBe('fail');
  expect(medianReport(runs.toReversed()).verdict).toBe('fail');
});

test('a void run makes the whole void, and voids are added up', () => {
  const report = medianReport([reportWith({ voids: 1 }), reportWith({ verdict: 'void', voids: 1 })]);
  expect(report).toMatchObject({ verdict: 'void', voids: 2 });
});

test('one run is its own report', () => {
  const only = reportWith();
  expect(medianReport([only])).toBe(only);
});
