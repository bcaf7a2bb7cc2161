import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { at, kernelOfBox, Stage } from './stage.ts';

let stage: Stage;
let untouched = '';

beforeAll(async () => {
  stage = await Stage.lay();
  stage.configure();
  writeFileSync(join(stage.folder, 'file'), randomBytes(2_000_000));
  const server = `http.createServer((_, answer) => fs.createReadStream(process.argv[1]).pipe(answer)).listen(80)`;
  stage.serve('inet', process.execPath, '-e', server, join(stage.folder, 'file'));
  untouched = await kernelOfBox();
});
afterAll(async () => {
  await stage?.clear();
});

const patience = { timeout: 15_000, interval: 100 };
const status = (): Promise<DaemonStatus> => stage.statusOf('box');
const bothUp = (): Promise<void> =>
  vi.waitFor(async () => expect((await status()).uplinks.map((one) => one.verdict)).toEqual(['up', 'up']), patience);
/** Downloads by the LAN host; resolves to the checksum. */
const download = async (): Promise<string> => {
  const sum = await at('lan', 'sh', '-c', 'curl -sS -m 8 http://198.51.100.10/file | sha256sum');
  return sum.slice(0, 64);
};
const checksum = async (): Promise<string> => (await at('inet', 'sha256sum', join(stage.folder, 'file'))).slice(0, 64);

/** Path numbers of the lines that are up. */
const numbersUp = async (): Promise<(number | undefined)[]> =>
  (await status()).uplinks.map((one) => (one.verdict === 'up' ? one.path?.path : undefined));
/** Gives wan2 another address, as its operator would. */
const readdress = async (from: string, to: string): Promise<void> => {
  await at('box', 'ip', 'addr', 'del', `${from}/24`, 'dev', 'wan2');
  await at('box', 'ip', 'addr', 'add', `${to}/24`, 'dev', 'wan2');
  await at('box', 'ip', 'route', 'replace', 'default', 'via', '10.0.2.1', 'dev', 'wan2', 'metric', '20');
};
/** Steps taken on the kernel so far. */
const stepsLogged = (): number => stage.log('box').split('msg=network').length;

test('box and relay meet, and a LAN host has a whole internet', async () => {
  stage.start('relay');
  stage.start('box');
  await bothUp();
  expect(await download()).toBe(await checksum());
  expect((await status()).counters['intercepted']).toBe(1);
  await at('lan', 'ping', '-c', '1', '-W', '2', '198.51.100.10');
  expect(await stage.status('box')).toContain('Bonding over 2 of 2 lines');
  expect(await stage.status('relay')).toContain('1 of 1 boxes connected');
});

test('what is applied is read back as wanted: nothing is done again', async () => {
  const before = stepsLogged();
  // A change of the network that is not ours makes the box look again.
  await at('box', 'ip', 'route', 'add', '192.0.2.0/24', 'via', '10.0.1.1');
  await at('box', 'ip', 'route', 'del', '192.0.2.0/24');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(stepsLogged()).toBe(before);
});

test('what somebody removed of ours comes back', async () => {
  await at('box', 'nft', 'delete', 'table', 'inet', 'tresse');
  await at('box', 'ip', 'rule', 'del', 'pref', '5101');
  await vi.waitFor(async () => expect(await at('box', 'nft', 'list', 'tables')).toContain('inet tresse'), patience);
  await vi.waitFor(async () => expect(await at('box', 'ip', 'rule')).toContain('from 10.0.1.2 lookup 5101'), patience);
});

test('a line with another address is another path, and the bond goes on', async () => {
  await vi.waitFor(async () => expect(await numbersUp()).toEqual([1, 2]), patience);
  await readdress('10.0.2.2', '10.0.2.7');
  await vi.waitFor(async () => expect((await numbersUp())[1]).toBe(3), patience);
  expect(await at('box', 'ip', 'rule')).not.toContain('10.0.2.2');
  expect(await download()).toBe(await checksum());
  await readdress('10.0.2.7', '10.0.2.2');
  await bothUp();
});

test('what is not TCP moves to the other line when its own falls, and ping goes on', async () => {
  expect((await status()).uplinks.find((one) => one.direct)?.name).toBe('dsl');
  await at('relay', 'ip', 'link', 'set', 'op1', 'down');
  await vi.waitFor(
    async () => expect((await status()).uplinks.find((one) => one.direct)?.name).toBe('fibre'),
    patience,
  );
  expect((await status()).uplinks[0]).toMatchObject({ verdict: 'down', reason: 'no carrier on wan1' });
  // The other end has no way back by the fallen line either.
  await at('lan', 'ping', '-c', '1', '-W', '2', '198.51.100.10');
  await at('relay', 'ip', 'link', 'set', 'op1', 'up');
  await bothUp();
});

test('a second box on the same state directory is refused with a sentence', async () => {
  const config = join(stage.folder, 'box.yaml');
  const state = join(stage.folder, 'box');
  const tresse = join(import.meta.dirname, '../../bin/tresse');
  await expect(at('box', tresse, 'box', 'run', '--state', state, '--config', config)).rejects.toThrow(
    /Another daemon \(process \d+\) uses the state directory/u,
  );
});

test('a second box with a state directory of its own is refused too, and the first is left alone', async () => {
  const tresse = join(import.meta.dirname, '../../bin/tresse');
  const state = join(stage.folder, 'other');
  await at('box', tresse, 'box', 'init', '--state', state);
  const before = await kernelOfBox();
  const config = join(stage.folder, 'box.yaml');
  await expect(at('box', tresse, 'box', 'run', '--state', state, '--config', config)).rejects.toThrow(
    'TCP port 7500 is in use: does another box run?',
  );
  expect(await kernelOfBox()).toBe(before);
  await expect(
    at('relay', tresse, 'relay', 'run', '--state', state, '--config', join(stage.folder, 'relay.yaml')),
  ).rejects.toThrow('TCP port 7443 is in use: does another relay run?');
  expect(await download()).toBe(await checksum());
});

test('killed: the LAN is refused at once, and the next start heals', async () => {
  await stage.end('box', 'SIGKILL');
  expect(await at('box', 'nft', 'list', 'tables')).toContain('inet tresse');
  await expect(at('lan', 'curl', '-sS', '-m', '5', 'http://198.51.100.10/file')).rejects.toThrow(
    /refused|Couldn't connect/u,
  );
  // What is no TCP went by the tunnel, which is gone: it goes no other way unnoticed either. The box's own traffic goes on.
  await expect(at('lan', 'ping', '-c', '1', '-W', '2', '198.51.100.10')).rejects.toThrow('exit status 1');
  await at('box', 'ping', '-c', '1', '-W', '2', '10.0.1.1');
  stage.start('box');
  await bothUp();
  expect(await download()).toBe(await checksum());
});

test('the relay killed and started again: bytes of new connections flow', async () => {
  await stage.end('relay', 'SIGKILL');
  stage.start('relay');
  await vi.waitFor(async () => expect(await download()).toBe(await checksum()), patience);
});

test('ended by SIGTERM nothing of ours is left, sysctls included', async () => {
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(untouched);
});

test('wrong configurations are sentences, and nothing is applied', async () => {
  const tresse = join(import.meta.dirname, '../../bin/tresse');
  stage.configure({ uplinks: [{ name: 'dsl', interface: 'wan1', kind: 'adls' }] });
  const state = join(stage.folder, 'box');
  const config = join(stage.folder, 'box.yaml');
  await expect(at('box', tresse, 'box', 'run', '--state', state, '--config', config)).rejects.toThrow(
    /box\.yaml:1:\d+ uplinks\.0\.kind: "adls" is not accepted \(accepted: adsl,/u,
  );
  expect(await kernelOfBox()).toBe(untouched);
});

test('without a relay every line says why', async () => {
  stage.configure();
  stage.start('box');
  await vi.waitFor(
    async () =>
      expect((await status()).uplinks.map((one) => one.reason)).toEqual([
        expect.stringContaining('203.0.113.1:7443 refuses the connection'),
        expect.stringContaining('203.0.113.1:7443 refuses the connection'),
      ]),
    patience,
  );
  // Held back for the first seconds, while the relay may still come.
  await vi.waitFor(() => at('lan', 'ping', '-c', '1', '-W', '1', '198.51.100.10'), patience);
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(untouched);
});
