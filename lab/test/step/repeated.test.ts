import { expect, test } from 'vitest';

import { check, truth } from '../../src/report/report.ts';
import { reportTable } from '../../src/report/table.ts';
import { blankReport } from '../../src/step/blank-report.ts';
import { asOne, type Play } from '../../src/step/repeated.ts';
import { reportWith } from '../report/reports.ts';

const play = (ofSum: number | null, stallMsMax: number, holds = true): Play => ({
  report: { ...blankReport('download', 'down', 1), ofSum, stallMsMax },
  checks: [truth('whole', holds, 'it broke'), check('share', ofSum, 'min', 0.95)],
  worst: [check('share', ofSum, 'min', 0.85), check('stall', stallMsMax, 'max', 400)],
});
const failed = (plays: Play[]): string[] => asOne(plays).checks.flatMap((c) => (c.ok ? [] : [c.name]));

test('the median of the plays is judged, and the worst of them by its own limits', () => {
  const plays = [play(0.96, 100), play(0.9, 300), play(0.97, 200)];
  const { report, checks } = asOne(plays);
  expect(report).toMatchObject({ ofSum: 0.96, stallMsMax: 200 });
  expect(report.plays).toHaveLength(3);
  expect(checks.map(({ name, value, ok }) => [name, value, ok])).toEqual([
    ['whole', 1, true],
    ['share', 0.96, true],
    ['share, worst of 3', 0.9, true],
    ['stall, worst of 3', 300, true],
  ]);
});

test('one bad play of many fails what the worst has to keep, a low median fails the median', () => {
  const good = play(0.96, 100);
  expect(failed([good, good, play(0.84, 401)])).toEqual(['share, worst of 3', 'stall, worst of 3']);
  expect(failed([good, play(0.94, 100), play(0.94, 100)])).toEqual(['share']);
  expect(failed([good, good, play(0.96, 100, false)])).toEqual(['whole']);
  // A figure that could not be taken does not hold.
  expect(failed([good, good, play(null, 100)])).toEqual(['share', 'share, worst of 3']);
});

test('people see how far the plays lie apart', () => {
  const { report } = asOne([play(0.96, 100), play(0.9, 300)]);
  const daemons = { pathSuspicions: 3, pathSuspicionsNeedless: 1, strandSuspicions: 2, sentTwice: 0.031 };
  const table = reportTable(reportWith({}, { ...report, daemons }));
  expect(table).toContain('medians of 2: 90.0 % to 96.0 % of the sum, longest stalls 100 to 300 ms');
  expect(table).toContain('sent twice 3.1 %; taken for dead: lines 3 (1 needlessly), single connections 2');
});
