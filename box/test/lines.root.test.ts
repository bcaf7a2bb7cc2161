import type { DaemonStatus } from '@tresse/schema';
import { run } from '@tresse/sys';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Slow, slowServer } from './slow.ts';
import { at, kernelOfBox, nameOf, Stage } from './stage.ts';

/** Answers every datagram with the address it came from. */
const echo = `dgram.createSocket('udp4').on('message', function (_, from) {
  this.send(from.address, from.port, from.address); }).bind(9)`;
/** One flow, a datagram every 100 ms; prints an answer only when it differs from the one before. */
const talk = `let last = ''; const socket = dgram.createSocket('udp4');
socket.on('message', (m) => { if (String(m) !== last) console.log(last = String(m)); });
socket.bind(5555, () => setInterval(() => socket.send('x', 9, '198.51.100.10'), 100));`;

const patience = { timeout: 15_000, interval: 100 };
let stage: Stage;
let untouched = '';

beforeAll(async () => {
  stage = await Stage.lay();
  stage.serve('inet', process.execPath, '-e', slowServer);
  stage.serve('inet', process.execPath, '-e', echo);
  untouched = await kernelOfBox();
  // What is no TCP leaves directly.
  stage.configure({}, { tunnel: false });
  stage.start('relay');
  stage.start('box');
  await bonded();
});
afterAll(async () => {
  await stage?.clear();
});

const status = (): Promise<DaemonStatus> => stage.statusOf('box');
const bonded = (): Promise<void> =>
  vi.waitFor(async () => expect((await status()).summary).toBe('bonding over 2 of 2 lines'), patience);
/** The number of the path of a line that is up. */
const pathOf = async (index: number): Promise<number | undefined> => {
  const uplink = (await status()).uplinks[index];
  return uplink?.verdict === 'up' ? uplink.path?.path : undefined;
};
const defaultBy = (gateway: string, device: string, metric: number): Promise<string> =>
  at('box', 'ip', 'route', 'replace', 'default', 'via', gateway, 'dev', device, 'metric', String(metric));

test('a line changes its address in the middle of transfers: they go on, and it is used again', async () => {
  const begun = await new Slow(40).begun();
  await at('box', 'ip', 'addr', 'del', '10.0.1.2/24', 'dev', 'wan1');
  await at('box', 'ip', 'addr', 'add', '10.0.1.9/24', 'dev', 'wan1');
  await defaultBy('10.0.1.1', 'wan1', 10);
  await vi.waitFor(async () => expect((await status()).uplinks[0]?.addresses[0]?.address).toBe('10.0.1.9'), patience);
  await bonded();
  expect(await begun.end()).toBe('whole');
  await at('box', 'ip', 'addr', 'del', '10.0.1.9/24', 'dev', 'wan1');
  await at('box', 'ip', 'addr', 'add', '10.0.1.2/24', 'dev', 'wan1');
  await defaultBy('10.0.1.1', 'wan1', 10);
  await bonded();
});

test('a line has another gateway: a fresh path by it', async () => {
  const begun = await new Slow(40).begun();
  const before = await pathOf(1);
  await at('relay', 'ip', 'addr', 'add', '10.0.2.3/24', 'dev', 'op2');
  await defaultBy('10.0.2.3', 'wan2', 20);
  await vi.waitFor(async () => {
    expect((await status()).uplinks[1]?.addresses[0]?.gateway).toBe('10.0.2.3');
    expect(await pathOf(1)).toBeGreaterThan(before ?? 0);
  }, patience);
  expect(await at('box', 'ip', 'route', 'show', 'table', '5102')).toContain('default via 10.0.2.3');
  expect(await begun.end()).toBe('whole');
  await defaultBy('10.0.2.1', 'wan2', 20);
  await bonded();
});

test('a line vanishes with its interface and is made anew, as a stick that is pulled out', async () => {
  const begun = await new Slow(60).begun();
  await at('box', 'ip', 'link', 'del', 'wan2');
  await vi.waitFor(
    async () =>
      expect((await status()).uplinks[1]).toMatchObject({ verdict: 'down', reason: 'there is no interface wan2' }),
    patience,
  );
  const pair = `link add wan2 netns ${nameOf('box')} type veth peer name op2 netns ${nameOf('relay')}`;
  await run(['ip', ...pair.split(' ')]);
  await at('relay', 'ip', 'addr', 'add', '10.0.2.1/24', 'dev', 'op2');
  await at('relay', 'ip', 'link', 'set', 'op2', 'up');
  await at('box', 'ip', 'link', 'set', 'wan2', 'up');
  await at('box', 'ip', 'addr', 'add', '10.0.2.2/24', 'dev', 'wan2');
  await defaultBy('10.0.2.1', 'wan2', 20);
  await bonded();
  expect(await begun.end()).toBe('whole');
});

test('a line dies without a word: its direct flows move to the other, and only when it is surely dead', async () => {
  const direct = (await status()).uplinks.findIndex((one) => one.direct) + 1;
  const other = 3 - direct;
  const talker = stage.listen('lan', process.execPath, '-e', talk);
  await vi.waitFor(() => expect(talker.text()).toBe(`10.0.${direct}.2\n`), patience);
  const [drop, undo] = [
    `add table netdev dead; add chain netdev dead in { type filter hook ingress device op${direct} priority 0; policy drop; }`,
    'delete table netdev dead',
  ];
  await at('relay', 'nft', drop);
  await vi.waitFor(() => expect(talker.text()).toBe(`10.0.${direct}.2\n10.0.${other}.2\n`), patience);
  expect(stage.log('box')).toContain('msg="direct flows of a line are given up"');
  await at('relay', 'nft', undo);
  await bonded();
  // It stays where it is now: every move is another address to the other end.
  expect(talker.text()).toBe(`10.0.${direct}.2\n10.0.${other}.2\n`);
});

test('direct connections are told what a narrow line carries, both ends of them', async () => {
  await at('box', 'ip', 'link', 'set', 'wan1', 'mtu', '1492');
  await at('box', 'ip', 'link', 'set', 'wan2', 'mtu', '1492');
  await vi.waitFor(
    async () => expect(await at('box', 'nft', 'list', 'chain', 'inet', 'tresse', 'forward')).toContain('size set 1452'),
    patience,
  );
  await stage.end('relay', 'SIGKILL');
  await vi.waitFor(async () => expect((await status()).summary).toContain('leave directly by'), patience);
  const running = await new Slow(20).begun();
  const [client, server] = [
    await at('lan', 'ss', '-Htni', 'dport', '=', ':80'),
    await at('inet', 'ss', '-Htni', 'sport', '=', ':80'),
  ];
  // Minus 12 octets of time stamps.
  expect(client).toContain('mss:1440');
  expect(server).toContain('mss:1440');
  expect(await running.end()).toBe('whole');
});

test('at the end nothing is left', async () => {
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect((await kernelOfBox()).replaceAll(/mtu \d+/gu, '')).toBe(untouched.replaceAll(/mtu \d+/gu, ''));
});
