import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test, vi } from 'vitest';

import {
  ensureIdentity,
  kernelWishes,
  lockStateDirectory,
  makeLog,
  openStateDirectory,
  requireIdentity,
} from '../src/index.ts';
import { scratch, undo } from './peers.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('an identity is made once, for its owner alone, and read again', async () => {
  const directory = openStateDirectory(join(scratch(), 'state'));
  const made = await ensureIdentity(directory, 'box');
  expect(made).toMatchObject({ isNew: true, pin: expect.stringMatching(/^[\w-]{43}$/u) });
  expect(modeOf(directory.path)).toBe(0o700);
  expect(modeOf(directory.file('identity.pem'))).toBe(0o600);
  expect(await ensureIdentity(directory, 'box')).toMatchObject({ isNew: false, pin: made.pin });
  expect(requireIdentity(directory, 'tresse box init')).toMatchObject({ pin: made.pin });
});

test('two commands that make an identity at once have the same', async () => {
  const directory = openStateDirectory(scratch());
  const made = await Promise.all([1, 2, 3].map(() => ensureIdentity(directory, 'box')));
  expect(new Set(made.map((one) => one.pin)).size).toBe(1);
  expect(made.filter((one) => one.isNew)).toHaveLength(1);
  expect(modeOf(directory.file('identity.pem'))).toBe(0o600);
});

test('a missing or damaged identity is a sentence that says what to do', () => {
  const directory = openStateDirectory(scratch());
  expect(() => requireIdentity(directory, 'tresse box init')).toThrow(/make one by "tresse box init --state/u);
  directory.write('identity.pem', 'nonsense');
  expect(() => requireIdentity(directory, 'tresse box init')).toThrow(
    /identity\.pem is damaged .* put it back from a copy/u,
  );
});

test('a directory that cannot be one says so', () => {
  const path = join(scratch(), 'file');
  writeFileSync(path, '');
  expect(() => openStateDirectory(path)).toThrow(/state directory .* cannot be written/u);
});

test('a second daemon on one directory is refused; a dead one leaves no obstacle', async () => {
  const directory = openStateDirectory(scratch());
  const other = spawn('sleep', ['60']);
  undo(() => other.kill('SIGKILL'));
  await once(other, 'spawn');
  const stat = readFileSync(`/proc/${other.pid}/stat`, 'utf8');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  writeFileSync(directory.file('lock'), `${other.pid} ${start}\n`);
  expect(() => lockStateDirectory(directory)).toThrow(`Another daemon (process ${other.pid}) uses the state directory`);
  writeFileSync(directory.file('lock'), `${other.pid} 1\n`);
  const release = lockStateDirectory(directory);
  expect(() => lockStateDirectory(directory)).toThrow(`process ${process.pid}`);
  release();
  lockStateDirectory(directory)();
});

test('a killed daemon nobody has buried yet holds no lock', async () => {
  const directory = openStateDirectory(scratch());
  // The shell becomes a program that never asks after its child.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  undo(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const child = Number(line.toString());
  const stat = readFileSync(`/proc/${child}/stat`, 'utf8');
  writeFileSync(directory.file('lock'), `${child} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}\n`);
  await vi.waitFor(() => expect(readFileSync(`/proc/${parent.pid}/cmdline`, 'utf8')).toMatch(/^sleep/u));
  process.kill(child, 'SIGKILL');
  await vi.waitFor(() => expect(readFileSync(`/proc/${child}/stat`, 'utf8')).toContain(') Z '));
  lockStateDirectory(directory)();
});

test('a log line is one line, whatever a peer says', () => {
  const lines: string[] = [];
  const log = makeLog('info', (line) => lines.push(line));
  log.debug('not shown');
  log.warn('a peer', { said: 'a\nb="c"', port: 7443, missing: undefined });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^time=\S+ level=warn msg="a peer" said="a\\nb=\\"c\\"" port=7443\n$/u);
});

test('what is said over and over is counted, and told when it ends', () => {
  const lines: string[] = [];
  const log = makeLog('info', (line) => lines.push(line));
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  for (let i = 0; i < 5_000; i++) log.warn('a stranger was turned away', { address: `2001:db8::${i}` });
  log.warn('something else');
  expect(lines).toHaveLength(51);
  clock.mockReturnValue(12_000);
  log.warn('a stranger was turned away');
  expect(lines.at(-1)).toContain('msg="a stranger was turned away" withheld=4950');
  clock.mockRestore();
});

test('drafts of the dead are swept, those of the living are not', () => {
  const directory = openStateDirectory(scratch());
  for (const name of ['identity.pem.999999999.new', 'lock.999999999', `boxes.json.${process.ppid}.new`, 'boxes.json']) {
    writeFileSync(directory.file(name), 'x');
  }
  lockStateDirectory(directory)();
  expect(readdirSync(directory.path).toSorted()).toEqual(['boxes.json', `boxes.json.${process.ppid}.new`]);
});

test('what is wished from the kernel is said, and only then', () => {
  const stock: Record<string, string> = {
    'net.ipv4.tcp_available_congestion_control': 'reno cubic',
    'net.ipv4.tcp_rmem': '4096\t131072\t6291456',
    'net.ipv4.tcp_wmem': '4096\t16384\t33554432',
  };
  expect(kernelWishes((key) => stock[key])).toEqual([
    expect.stringContaining('modprobe tcp_bbr'),
    expect.stringContaining('larger TCP buffers: net.ipv4.tcp_rmem up to'),
  ]);
  const tuned = { ...stock, 'net.ipv4.tcp_available_congestion_control': 'bbr', 'net.ipv4.tcp_rmem': '1 2 67108864' };
  expect(kernelWishes((key) => tuned[key as keyof typeof tuned])).toEqual([]);
});
