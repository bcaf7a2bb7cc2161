/** What a kill, a full disk and damaged files do to the people behind a box: a reset at once, a sentence, nothing half done. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CommandError, run } from '@tresse/sys';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { at, atLength, kernelOfBox, Stage } from './stage.ts';

const tresse = join(import.meta.dirname, '../../bin/tresse');
const patience = { timeout: 20_000, interval: 100 };
let stage: Stage;
let untouched = '';

beforeAll(async () => {
  stage = await Stage.lay();
  stage.configure();
  writeFileSync(join(stage.folder, 'file'), randomBytes(400_000));
  // A file at once, and one that drips: 400 KB over 20 s.
  const server = `http.createServer((request, answer) => {
    const file = fs.readFileSync(process.argv[1]);
    answer.writeHead(200, { 'content-length': file.length });
    if (request.url !== '/slow') { answer.end(file); return; }
    let at = 0;
    const timer = setInterval(() => {
      if (answer.destroyed || at >= file.length) { clearInterval(timer); answer.end(); return; }
      answer.write(file.subarray(at, at += 2000));
    }, 100);
  }).listen(80)`;
  stage.serve('inet', process.execPath, '-e', server, join(stage.folder, 'file'));
  untouched = await kernelOfBox();
});
afterAll(async () => {
  await stage?.clear();
});

const download = async (): Promise<string> => {
  const sum = await at('lan', 'sh', '-c', 'curl -sS -m 8 http://198.51.100.10/file | sha256sum');
  return sum.slice(0, 64);
};
const whole = async (): Promise<void> => {
  const wanted = (await at('inet', 'sha256sum', join(stage.folder, 'file'))).slice(0, 64);
  await vi.waitFor(async () => expect(await download()).toBe(wanted), patience);
};

/** Runs a daemon that ends by itself. Returns what it says. */
async function fails(place: 'box' | 'relay', ...options: string[]): Promise<string> {
  return at(place, tresse, place, 'run', ...options).then(
    () => 'it ran',
    (error: unknown) => (error instanceof CommandError ? error.stderr : String(error)),
  );
}

/** Failure with receiving data: a reset. 18 would be an end in order, too early. */
const reset = 56;

/** A download in the middle, and how curl ends it (0: whole). */
async function started(): Promise<{ ended: Promise<number> }> {
  const file = join(stage.folder, `part${readdirSync(stage.folder).length}`);
  writeFileSync(file, '');
  const ended = atLength('lan', 40_000, 'curl', '-sS', '-m', '35', '-o', file, 'http://198.51.100.10/slow').then(
    () => 0,
    (error: unknown) => (error instanceof CommandError ? (error.exitCode ?? -1) : -2),
  );
  await vi.waitFor(() => expect(readFileSync(file).length).toBeGreaterThan(10_000), patience);
  // A promise within an object is not awaited with it.
  return { ended };
}

test('the box is killed in mid-transfer: its client sees no end that looks like one, and a start heals', async () => {
  stage.start('relay');
  stage.start('box');
  await whole();
  const { ended } = await started();
  await stage.end('box', 'SIGKILL');
  expect(await ended).toBe(reset);
  stage.start('box');
  await whole();
});

test('the relay is killed in mid-transfer and started again: the same, and the box finds it', async () => {
  const { ended } = await started();
  await stage.end('relay', 'SIGKILL');
  stage.start('relay');
  expect(await ended).toBe(reset);
  await whole();
});

test.each(['box', 'relay'] as const)(
  'a thread of the %s dies in mid-transfer: a reset, a new key, and on it goes',
  async (room) => {
    const failures = (): number => stage.log(room).split('the data plane failed').length;
    const keys = (): number => stage.log('box').split('the relay is reached').length;
    expect(await stage.end(room, 'SIGTERM')).toBe(0);
    stage.nodeOptions = '--inspect=127.0.0.1:9229';
    stage.start(room);
    stage.nodeOptions = '';
    await whole();
    const before = { failures: failures(), keys: keys() };
    const { ended } = await started();
    await at(room, process.execPath, join(import.meta.dirname, 'worker-death.ts'));
    // The thread looks for messages when it is asked something.
    await stage.status(room).catch(() => '');
    await vi.waitFor(() => expect(failures()).toBeGreaterThan(before.failures), patience);
    expect(await ended).toBe(reset);
    await whole();
    expect(keys()).toBeGreaterThan(before.keys);
  },
);

test('SIGTERM while it starts leaves nothing behind', async () => {
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(untouched);
  const log = (): number => stage.log('box').split('the data plane runs').length;
  const before = log();
  stage.start('box');
  await vi.waitFor(() => expect(log()).toBe(before + 1), { timeout: 15_000, interval: 1 });
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(untouched);
});

test('damaged files: a broken identity is a sentence, what cannot be read of settings is said and lived with', async () => {
  const state = join(stage.folder, 'box');
  const config = join(stage.folder, 'box.yaml');
  const identity = readFileSync(join(state, 'identity.pem'), 'utf8');
  writeFileSync(join(state, 'identity.pem'), identity.slice(0, 90));
  const told = await fails('box', '--state', state, '--config', config);
  expect(told).toMatch(/identity\.pem is damaged .*: put it back from a copy/u);
  expect(told).not.toContain('    at ');
  expect(await kernelOfBox()).toBe(untouched);
  writeFileSync(join(state, 'identity.pem'), identity);
  writeFileSync(join(state, 'sysctls.json'), '{"net.ipv4');
  stage.start('box');
  await whole();
  expect(stage.log('box')).toContain('what sysctls were before is not known');
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(untouched);
});

/** A state directory on a disk of its own, with the box's identity in it. */
async function disk(name: string): Promise<string> {
  const path = join(stage.folder, name);
  const identity = readFileSync(join(stage.folder, 'box', 'identity.pem'));
  mkdirSync(path, { recursive: true });
  await run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]);
  writeFileSync(join(path, 'identity.pem'), identity);
  return path;
}

const place = { box: 'box.yaml', relay: 'relay.yaml' } as const;

test.each(['box', 'relay'] as const)(
  'a %s whose disk is full, or not to be written, says so and touches nothing',
  async (room) => {
    const state = await disk(`disk-${room}`);
    const options = ['--state', state, '--config', join(stage.folder, place[room])];
    try {
      const full = Buffer.alloc(65_536);
      expect(() => writeFileSync(join(state, 'ballast'), full)).toThrow('ENOSPC');
      const told = await fails(room, ...options);
      expect(told).toMatch(/state directory .* cannot be written \(.*no space left.*\): make room there/u);
      expect(told).not.toContain('    at ');
      await run(['rm', join(state, 'ballast')]);
      await run(['mount', '-o', 'remount,ro', state]);
      expect(await fails(room, ...options)).toMatch(
        /cannot be written \(.*read-only file system.*\): mount it for writing/u,
      );
      expect(readdirSync(state)).toEqual(['identity.pem']);
      expect(await kernelOfBox()).toBe(untouched);
    } finally {
      await run(['umount', state]);
    }
  },
);

test('a disk that fills up while the box runs: it carries on, and takes everything back at the end', async () => {
  const state = await disk('box');
  stage.start('box');
  try {
    await whole();
    expect(() => writeFileSync(join(state, 'ballast'), Buffer.alloc(65_536))).toThrow('ENOSPC');
    // Something must be set again.
    await at('box', 'sysctl', '-qw', 'net.ipv4.ip_forward=0');
    await at('box', 'nft', 'delete', 'table', 'inet', 'tresse');
    await vi.waitFor(async () => expect(await at('box', 'nft', 'list', 'tables')).toContain('inet tresse'), patience);
    await whole();
    expect(await stage.end('box', 'SIGTERM')).toBe(0);
    expect(await kernelOfBox()).toBe(untouched);
  } finally {
    await run(['umount', state]);
  }
});
