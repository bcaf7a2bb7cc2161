import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { UserError } from '@tresse/kit';

import { Interruption } from './interruption.ts';
import { LabNames } from './network/addresses.ts';
import { takeLock } from './network/lock.ts';
import { sweep } from './network/sweep.ts';
import { inTurn, until } from './process/in-turn.ts';
import { LiveShow } from './report/live-show.ts';
import { medianReport } from './report/median.ts';
import type { Report } from './report/report.ts';
import { PlainShow, type Show } from './report/show.ts';
import { reportTable } from './report/table.ts';
import { runOnce } from './run.ts';
import { findScenario, type NamedScenario } from './scenario/scenario-file.ts';

export interface LabOptions {
  readonly json: boolean;
  readonly seed: number;
  readonly runs: number;
  readonly short: boolean;
  /** Measures the lines for two seconds, all at once, also in the full form. */
  readonly quickRivals?: boolean;
  readonly onlyLines: boolean;
  readonly keep: boolean;
}

/** A lab that is ours until `end`. */
export interface OpenLab {
  readonly names: LabNames;
  readonly folder: string;
  readonly interruption: Interruption;
  readonly show: Show;
}

/** What a machine that others use, too, is too slow for now it may have time for soon. */
const repeatsMax = 2;

/** Runs a scenario and prints its report. Returns whether it passed. Throws TresseError. */
export async function runCommand(nameOrFile: string, options: LabOptions): Promise<boolean> {
  const named = findScenario(nameOrFile);
  return await withLab(async (lab) => {
    const report = await runs(lab, named, options);
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else process.stdout.write(`\n${reportTable(report)}\n`);
    // What failed is looked into by the daemons' logs.
    if (report.verdict === 'pass') rmSync(lab.folder, { recursive: true, force: true });
    else lab.show.say(`logs: ${lab.folder}`);
    return report.verdict === 'pass';
  });
}

/** All runs of a scenario as one report. */
export async function runs(lab: OpenLab, named: NamedScenario, options: LabOptions): Promise<Report> {
  const numbers = Array.from({ length: options.runs }, (_, i) => i + 1);
  const reports = await inTurn(numbers, async (number) => {
    if (options.runs > 1) lab.show.say(`run ${number} of ${options.runs}`);
    return await runUnlessVoid(lab, named, options);
  });
  return medianReport(reports);
}

/** A run that the machine was too slow for is repeated. */
async function runUnlessVoid(lab: OpenLab, named: NamedScenario, options: LabOptions, voids = 0): Promise<Report> {
  rmSync(lab.folder, { recursive: true, force: true });
  mkdirSync(lab.folder, { recursive: true, mode: 0o700 });
  const report = await runOnce(named, {
    ...options,
    ...lab,
    beforeEnd: () => (options.keep ? kept(lab) : Promise.resolve()),
  });
  if (report.verdict !== 'void' || voids === repeatsMax) return { ...report, voids };
  lab.show.say('this machine was too slow for the lines: the run is void and is repeated');
  return await runUnlessVoid(lab, named, options, voids + 1);
}

/** Waits for Ctrl-C with everything up. */
async function kept(lab: OpenLab): Promise<void> {
  lab.show.phase('kept');
  lab.show.say(`everything stays up until Ctrl-C: ip netns exec ${lab.names.lan} curl ...; logs in ${lab.folder}`);
  await until(() => Promise.resolve(lab.interruption.came), 200, Infinity);
}

/** Takes the lock, sweeps what a dead owner left, and gives the lab to `work`. Throws UserError `LAB_BUSY`, `NOT_ROOT`. */
export async function withLab<T>(work: (lab: OpenLab) => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) throw new UserError('NOT_ROOT', 'the lab makes network namespaces: run it as root');
  const names = new LabNames();
  const lock = await takeLock(names.lock);
  const interruption = new Interruption(names);
  const show = process.stderr.isTTY
    ? new LiveShow(process.stderr)
    : new PlainShow((text) => process.stderr.write(text));
  const folder = join(tmpdir(), names.folder);
  try {
    await sweep(names);
    return await work({ names, folder, interruption, show });
  } finally {
    show.end();
    if (interruption.came) rmSync(folder, { recursive: true, force: true });
    interruption.end();
    lock.release();
  }
}

/** Removes what a killed run left: namespaces, processes in them, files. Throws UserError `LAB_BUSY` while one runs. */
export async function clean(): Promise<void> {
  await withLab(({ folder }) => {
    rmSync(folder, { recursive: true, force: true });
    process.stderr.write('nothing of the lab is left\n');
    return Promise.resolve();
  });
}
