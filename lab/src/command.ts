import { Command, InvalidArgumentError } from 'commander';

import { recordStrands } from './calibration/strand-figures.ts';
import { demo } from './demo.ts';
import { runEvery } from './every.ts';
import { clean, type LabOptions, runCommand } from './lab.ts';
import { findScenario, scenarioNames } from './scenario/scenario-file.ts';

const seedHelp = 'of the content and of the lines’ chance';
const runsHelp = 'how often; the median is judged';
const plain: LabOptions = { json: false, seed: 1, runs: 1, short: false, onlyLines: false, keep: false };

/** `tresse lab ...` */
export function labCommand(): Command {
  const lab = new Command('tresse lab')
    .description('Emulated lines, real box and relay, all on this machine')
    .showHelpAfterError();
  lab
    .command('list')
    .description('the scenarios that come with Tresse')
    .action(() => {
      const names = scenarioNames();
      const width = Math.max(...names.map((name) => name.length));
      for (const name of names) process.stdout.write(`${name.padEnd(width)} ${findScenario(name).scenario.title}\n`);
    });
  lab
    .command('run')
    .argument('<name-or-file>', 'a scenario by its name, or a file')
    .option('--json', 'one JSON document on stdout, everything else on stderr', false)
    .option('--seed <n>', seedHelp, wholeNumber, 1)
    .option('--runs <n>', runsHelp, positiveNumber, 1)
    .option('--short', 'few bytes, and only floors for limits', false)
    .option('--only-lines', 'only the lines and kernel MPTCP, without Tresse', false)
    .option('--keep', 'leave everything up at the end until Ctrl-C', false)
    .description('run a scenario and report')
    .action(async (nameOrFile: string, options: LabOptions) => {
      process.exitCode = (await runCommand(nameOrFile, options)) ? 0 : 1;
    });
  lab
    .command('demo')
    .description('one download over three lines, through the loss of the biggest')
    .action(async () => {
      process.exitCode = (await demo()) ? 0 : 1;
    });
  lab
    .command('test')
    .option('--count <file>', 'also write how many passed and failed, as JSON')
    .description('every scenario in its short form')
    .action(async ({ count }: { count?: string }) => {
      process.exitCode = (await runEvery({ ...plain, short: true }, count)) ? 0 : 1;
    });
  lab
    .command('all')
    .option('--seed <n>', seedHelp, wholeNumber, 1)
    .option('--runs <n>', runsHelp, positiveNumber, 1)
    .description('every scenario in full, with full limits')
    .action(async (given: Pick<LabOptions, 'seed' | 'runs'>) => {
      process.exitCode = (await runEvery({ ...plain, ...given }, undefined)) ? 0 : 1;
    });
  lab
    .command('strands')
    .argument('<file>', 'lines and figures, as sim/test/strand-figures.json')
    .option('--runs <n>', 'how often each line is measured', positiveNumber, 1)
    .description('measure plain TCP on lines alone, for the simulator to be held against')
    .action(async (file: string, { runs }: { runs: number }) => await recordStrands(file, runs));
  lab.command('clean').description('remove what a run that was killed left behind').action(clean);
  return lab;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/u.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('expected at least 1');
  return value;
}
