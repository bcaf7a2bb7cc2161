/**
 * Runs the tests in their order and counts them: `check` is the fast part that needs no root, `all` adds what works in
 * namespaces of its own and a short run of every scenario of the lab. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Count {
  passed: number;
  failed: number;
}

/** The part of vitest's JSON report that is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

const scratch = mkdtempSync(join(tmpdir(), 'tresse-test-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function run(command: string, ...args: string[]): number {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) say(`${command}: ${error.message}`);
  return status ?? 1;
}

/** A tool whose exit status is the verdict counts as one test. */
function step(name: string, command: string, ...args: string[]): Count {
  const startedMs = performance.now();
  const failed = run(command, ...args) === 0 ? 0 : 1;
  say(`${failed === 0 ? 'ok' : 'FAILED'}  ${name}  ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  return { passed: 1 - failed, failed };
}

function vitest(projects: readonly string[], ...options: string[]): Count {
  const file = join(scratch, `${projects.join('-')}.json`);
  const status = run(
    'vitest',
    'run',
    ...projects.flatMap((p) => ['--project', p]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...options,
  );
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
    // A file that could not be loaded has no tests to count, and an error outside a test fails none of them.
    const broken = report.testResults.filter((r) => r.status === 'failed' && r.assertionResults.length === 0).length;
    const failed = report.numFailedTests + broken;
    return { passed: report.numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function lab(): Count {
  const file = join(scratch, 'lab.json');
  const status = run('bin/tresse', 'lab', 'test', '--count', file);
  try {
    const count = JSON.parse(readFileSync(file, 'utf8')) as Count;
    return { passed: count.passed, failed: count.failed === 0 && status !== 0 ? 1 : count.failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

/** What reads the code without running it. */
const check: readonly (() => Count)[] = [
  () => step('format', 'oxfmt', '--check'),
  () => step('types', 'tsc', '-b', '--force'),
  () => step('lint', 'oxlint'),
  () => step('dead code', 'knip', '--no-progress'),
];
const unit = (): Count => vitest(['unit', 'tidy']);
const simulated = (...projects: string[]): Count => vitest(projects, '--maxWorkers=2');
const steps: readonly (() => Count)[] =
  process.argv[2] === 'all'
    ? [...check, unit, () => simulated('sim', 'long'), () => vitest(['root']), lab]
    : [...check, unit, () => simulated('sim')];
const total: Count = { passed: 0, failed: 0 };
for (const each of steps) {
  const { passed, failed } = each();
  total.passed += passed;
  total.failed += failed;
}
rmSync(scratch, { recursive: true });
say(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
