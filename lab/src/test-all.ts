import { runs, withLab } from './lab.ts';
import { reportTable } from './report/table.ts';
import { findScenario, scenarioNames } from './scenario/scenario-file.ts';

const options = { json: false, seed: 1, runs: 1, short: true, onlyLines: false, keep: false };

/**
 * Runs every scenario in its short form: a line for each on stdout, the whole report of those that failed, and at the end
 * `N passed, N failed`. Returns whether none failed.
 */
export async function testAll(): Promise<boolean> {
  return await withLab(async (lab) => {
    let failed = 0;
    // The demo is cut-silent at length.
    const names = scenarioNames().filter((name) => name !== 'demo');
    for (const name of names) {
      const beganMs = performance.now();
      // One after another: each scenario needs the whole machine.
      // oxlint-disable-next-line no-await-in-loop
      const report = await runs(lab, findScenario(name), options);
      const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
      const ok = report.verdict === 'pass';
      if (!ok) failed++;
      process.stdout.write(
        `${ok ? 'ok  ' : 'FAIL'} lab ${name} (${seconds} s, ${report.checks.length} checks, ${report.verdict})\n`,
      );
      if (!ok) process.stdout.write(`${reportTable(report)}\n`);
    }
    process.stdout.write(`${names.length - failed} passed, ${failed} failed\n`);
    return failed === 0;
  });
}
