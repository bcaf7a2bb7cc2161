import { writeFileSync } from 'node:fs';

import { type LabOptions, runs, withLab } from './lab.ts';
import { inTurn } from './process/in-turn.ts';
import { reportTable } from './report/table.ts';
import { findScenario, scenarioNames } from './scenario/scenario-file.ts';

/**
 * Runs every scenario but the demo, which is cut-silent at length, and in the short form but those that are for the full one only. Prints a line for each on stdout, the whole report of those
 * that failed (of all, in the full form), and at the end `N passed, N failed`; the count also goes as JSON into `countFile`.
 * Returns whether none failed. Throws TresseError where no lab can be opened.
 */
export async function runEvery(options: LabOptions, countFile: string | undefined): Promise<boolean> {
  return await withLab(async (lab) => {
    const names = scenarioNames().filter(
      (name) => name !== 'demo' && !(options.short && findScenario(name).scenario.onlyInFull),
    );
    const outcomes = await inTurn(names, async (name) => {
      const beganMs = performance.now();
      const report = await runs(lab, findScenario(name), options);
      const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
      const ok = report.verdict === 'pass';
      const line = `${ok ? 'ok' : 'FAILED'}  lab ${name}  ${seconds} s, ${report.checks.length} checks, ${report.verdict}`;
      process.stdout.write(`${line}\n${ok && options.short ? '' : `${reportTable(report)}\n\n`}`);
      return ok;
    });
    const passed = outcomes.filter(Boolean).length;
    const failed = outcomes.length - passed;
    if (countFile !== undefined) writeFileSync(countFile, JSON.stringify({ passed, failed }));
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return failed === 0;
  });
}
