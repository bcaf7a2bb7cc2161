import { runs, withLab } from './lab.ts';
import { reportTable } from './report/table.ts';
import { findScenario } from './scenario/scenario-file.ts';

/** What a newcomer sees: one download through the loss and return of the biggest line. Returns whether it passed. */
export async function demo(): Promise<boolean> {
  const options = { json: false, seed: 1, runs: 1, short: false, quickRivals: true, onlyLines: false, keep: false };
  return await withLab(async (lab) => {
    const report = await runs(lab, findScenario('demo'), options);
    process.stdout.write(`\n${reportTable(report)}\n`);
    return report.verdict === 'pass';
  });
}
