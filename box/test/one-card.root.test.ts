import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Slow, slowServer } from './slow.ts';
import { at, kernelOfBox, Stage } from './stage.ts';

/** Two modems on one switch: one card of the box with two addresses of one subnet, each with a gateway of its own. */
const lines = [
  { name: 'left', interface: 'wan1', address: '10.0.1.2', gateway: '10.0.1.1' },
  { name: 'right', interface: 'wan1', address: '10.0.1.3', gateway: '10.0.1.254' },
];
const patience = { timeout: 15_000, interval: 100 };
let stage: Stage;
let untouched = '';

beforeAll(async () => {
  stage = await Stage.lay();
  await at('box', 'ip', 'link', 'del', 'wan2');
  await at('box', 'ip', 'addr', 'add', '10.0.1.3/24', 'dev', 'wan1');
  await at('relay', 'ip', 'addr', 'add', '10.0.1.254/24', 'dev', 'op1');
  // The gateways stand in box.yaml: the main table needs no default route.
  await at('box', 'ip', 'route', 'del', 'default');
  // Or the kernel takes the second address with the first.
  await at('box', 'sysctl', '-qw', 'net.ipv4.conf.wan1.promote_secondaries=1');
  // A machine that is strict about the ways back, as distributions make it.
  await at('box', 'sysctl', '-qw', 'net.ipv4.conf.wan1.rp_filter=1');
  stage.serve('inet', process.execPath, '-e', slowServer);
  untouched = await kernelOfBox();
  stage.configure({ uplinks: lines });
  stage.start('relay');
  stage.start('box');
});
afterAll(async () => {
  await stage?.clear();
});

const status = (): Promise<DaemonStatus> => stage.statusOf('box');
const bonded = (): Promise<void> =>
  vi.waitFor(async () => expect((await status()).summary).toBe('bonding over 2 of 2 lines'), patience);
const who = (): Promise<string> => at('lan', 'curl', '-sS', '-m', '2', 'http://198.51.100.10/who');
const routeFrom = (address: string): Promise<string> =>
  at('box', 'ip', 'route', 'get', '198.51.100.10', 'from', address);
/** One of the lines carries nothing any more, and nobody is told. */
const silence = (address: string): Promise<string> =>
  at(
    'relay',
    'nft',
    `add table ip dead; add chain ip dead in { type filter hook prerouting priority -300; }; add rule ip dead in ip saddr ${address} drop; ` +
      `add chain ip dead out { type filter hook output priority 0; }; add rule ip dead out ip daddr ${address} drop`,
  );

test('both lines are used, each by its own gateway and address', async () => {
  await bonded();
  expect(await routeFrom('10.0.1.2')).toContain('via 10.0.1.1 ');
  expect(await routeFrom('10.0.1.3')).toContain('via 10.0.1.254 ');
  const strands = await at('relay', 'ss', '-Htn', 'state', 'established', 'sport', '=', ':7443');
  expect(strands).toContain('10.0.1.2]:');
  expect(strands).toContain('10.0.1.3]:');
  expect(await who()).toBe('198.51.100.1');
  expect(await at('box', 'sysctl', '-n', 'net.ipv4.conf.wan1.rp_filter')).toBe('2\n');
});

test('one dies in the middle of a transfer: it goes on, and comes back', async () => {
  const running = await new Slow(30).begun();
  await silence('10.0.1.2');
  await vi.waitFor(async () => expect((await status()).uplinks[0]?.verdict).not.toBe('up'), patience);
  expect((await status()).uplinks[1]?.verdict).toBe('up');
  expect(await running.end()).toBe('whole');
  await at('relay', 'nft', 'delete table ip dead');
  await bonded();
});

test('directly each line has its own address too, though the card is the same', async () => {
  await stage.end('relay', 'SIGKILL');
  await vi.waitFor(async () => expect((await status()).summary).toContain('leave directly by'), patience);
  const first = (await status()).uplinks.find((one) => one.direct)?.addresses[0]?.address ?? '';
  await vi.waitFor(async () => expect(await who()).toBe(first), patience);
  await at('box', 'ip', 'addr', 'del', `${first}/24`, 'dev', 'wan1');
  const second = first === '10.0.1.2' ? '10.0.1.3' : '10.0.1.2';
  await vi.waitFor(async () => expect(await who()).toBe(second), patience);
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  await at('box', 'ip', 'addr', 'flush', 'dev', 'wan1');
  // One after the other: the first becomes the subnet's own source.
  await at('box', 'sh', '-c', 'ip addr add 10.0.1.2/24 dev wan1; ip addr add 10.0.1.3/24 dev wan1');
  expect((await kernelOfBox()).split('\n').toSorted()).toEqual(untouched.split('\n').toSorted());
});
