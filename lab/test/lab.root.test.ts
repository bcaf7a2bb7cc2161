import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { LabNames } from '../src/network/addresses.ts';
import { labNetns, sweep } from '../src/network/sweep.ts';

const prefix = 'lab-test-';
const names = new LabNames(prefix);
const folder = mkdtempSync(join(tmpdir(), 'tresse-lab-test-'));
const scenario = join(folder, 'one.yaml');
writeFileSync(
  scenario,
  `title: one line
lines: [{ name: wan1, kind: fibre, delay: 2 ms, down: 20 Mbit/s, up: 20 Mbit/s }]
steps: [{ kind: download, bytes: 1 MB }]`,
);

afterAll(async () => {
  await sweep(names);
  rmSync(folder, { recursive: true });
});

interface Lab {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly text: () => string;
}

/** The command as people run it. */
function lab(...argv: string[]): Lab {
  const child = spawn(join(import.meta.dirname, '../../bin/tresse'), ['lab', ...argv], {
    env: { ...process.env, TRESSE_LAB_PREFIX: prefix },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return { process: child, ended: new Promise((resolve) => child.once('close', resolve)), text: () => text };
}

const running = (): Lab => lab('run', scenario, '--short', '--only-lines');

test('Ctrl-C in the middle leaves nothing', async () => {
  const run = running();
  await expect.poll(run.text, { timeout: 20_000 }).toContain('wan1 alone, down');
  run.process.kill('SIGINT');
  expect(await run.ended).toBe(130);
  expect(await labNetns(names)).toEqual([]);
  expect(existsSync(join(tmpdir(), names.folder))).toBe(false);
});

test('while one runs another is refused, in a sentence', async () => {
  const run = running();
  await expect.poll(run.text, { timeout: 20_000 }).toContain('setting the stage');
  const second = lab('clean');
  expect(await second.ended).toBe(1);
  expect(second.text().trim()).toBe('another lab runs on this machine; wait for its end');
  run.process.kill('SIGTERM');
  expect(await run.ended).toBe(130);
});

test('what a killed run left is swept by the next command', async () => {
  const run = running();
  await expect.poll(run.text, { timeout: 20_000 }).toContain('wan1 alone, down');
  run.process.kill('SIGKILL');
  await run.ended;
  expect(await labNetns(names)).not.toEqual([]);
  expect(await lab('clean').ended).toBe(0);
  expect(await labNetns(names)).toEqual([]);
});

test('with --json stdout is one document', async () => {
  const child = lab('run', scenario, '--short', '--only-lines', '--json');
  let out = '';
  child.process.stdout?.on('data', (piece: string) => (out += piece));
  expect(await child.ended).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    scenario: 'one',
    short: true,
    verdict: 'pass',
    singles: [{ uplink: 'wan1' }],
  });
});
