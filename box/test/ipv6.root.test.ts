import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { at, kernelOfBox, Stage } from './stage.ts';

const server = `http.createServer((request, answer) => answer.end(request.socket.remoteAddress)).listen(80, '::')`;
/** Whom the server sees. */
const seen = { relay: '2001:db8:b::1', relay4: '::ffff:198.51.100.1', line: '2001:db8:1::2' };
const relay6 = '2001:db8:aa::1';
const patience = { timeout: 15_000, interval: 100 };
let stage: Stage;
let untouched = '';

const ip = (place: 'lan' | 'box' | 'relay' | 'inet', ...words: string[]): Promise<string> =>
  at(place, 'ip', '-6', ...words.flatMap((one) => one.split(' ')));
const address = (place: 'lan' | 'box' | 'relay' | 'inet', text: string, device: string): Promise<string> =>
  ip(place, `addr add ${text} dev ${device} nodad`);

/** IPv6 beside IPv4 everywhere; the gateways are link-local, as operators have them. */
beforeAll(async () => {
  stage = await Stage.lay();
  await address('lan', '2001:db8:77::2/64', 'eth0');
  await address('box', '2001:db8:77::1/64', 'lan0');
  await address('box', '2001:db8:1::2/64', 'wan1');
  await address('relay', '2001:db8:1::1/64', 'op1');
  await address('relay', 'fe80::1/64', 'op1');
  await address('relay', `${relay6}/128`, 'lo');
  await address('relay', '2001:db8:b::1/64', 'net0');
  await address('inet', '2001:db8:b::10/64', 'eth0');
  await at('relay', 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');
  await ip('lan', 'route add default via 2001:db8:77::1');
  await ip('box', 'route add default via fe80::1 dev wan1');
  await ip('relay', 'route add default via 2001:db8:b::10');
  await ip('inet', 'route add default via 2001:db8:b::1');
  stage.serve('inet', process.execPath, '-e', server);
  untouched = await kernelOfBox();
});
afterAll(async () => {
  await stage?.clear();
});

const status = (): Promise<DaemonStatus> => stage.statusOf('box');
const who = (host = '[2001:db8:b::10]'): Promise<string> => at('lan', 'curl', '-sS', '-m', '3', `http://${host}/`);
const bonded = (): Promise<void> =>
  vi.waitFor(async () => expect((await status()).summary).toBe('bonding over 2 of 2 lines'), patience);
/** Where strands come from, as the relay sees it. */
const strandsFrom = async (): Promise<string> =>
  at('relay', 'ss', '-Htn', 'state', 'established', 'sport', '=', ':7443');
/** At once and not by a time-out: that is what lets hosts fall back to IPv4. */
const refused = async (): Promise<void> => {
  await expect(who()).rejects.toThrow(/refused|Couldn't connect/u);
};

test('the LAN has IPv6 through the relay, over a line of each family', async () => {
  stage.configure({
    relay: { addresses: [relay6, '203.0.113.1'], pin: stage.pinOf('relay') },
  });
  stage.start('relay');
  stage.start('box');
  await bonded();
  await vi.waitFor(async () => expect(await who()).toBe(seen.relay), patience);
  expect(await who('198.51.100.10')).toBe(seen.relay4);
  const strands = await strandsFrom();
  // wan1 has IPv6 and the relay's IPv6 address stands first; wan2 has IPv4 only. No line uses two addresses at once.
  await vi.waitFor(async () => expect(await strandsFrom()).not.toContain('10.0.1.2'), patience);
  expect(strands).toContain('[2001:db8:1::2]');
  expect(strands).toContain('10.0.2.2');
  expect((await status()).uplinks[0]?.addresses).toEqual([
    { address: '10.0.1.2', gateway: '10.0.1.1' },
    { address: '2001:db8:1::2', gateway: 'fe80::1' },
  ]);
});

/** Steps taken on the kernel so far. */
const steps = (): number => stage.log('box').split('msg=network').length;

test('what is applied is read back as wanted: nothing is done again', async () => {
  const before = steps();
  await ip('box', 'route add 2001:db8:dd::/48 via fe80::1 dev wan1');
  await ip('box', 'route del 2001:db8:dd::/48 via fe80::1 dev wan1');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(steps()).toBe(before);
});

test("the relay's own IPv6 addresses are refused, one it was given while it ran too", async () => {
  await expect(who(`[${relay6}]:7443`)).rejects.toThrow();
  await address('relay', '2001:db8:cc::1/128', 'lo');
  await vi.waitFor(() => expect(stage.log('relay')).toContain('2001:db8:cc::1'), patience);
  // By a reset, which may come before the client has looked at its connection.
  await expect(who('[2001:db8:cc::1]:7443')).rejects.toThrow(/reset by peer|Couldn't connect/u);
});

test('the relay loses its way to the IPv6 internet: refused at once, IPv4 goes on; and back', async () => {
  await ip('relay', 'route del default');
  await vi.waitFor(
    () => expect(stage.log('box')).toContain('now=refused reason="the relay can reach the internet by'),
    patience,
  );
  await vi.waitFor(refused, patience);
  expect(await who('198.51.100.10')).toBe(seen.relay4);
  await ip('relay', 'route add default via 2001:db8:b::10');
  await vi.waitFor(async () => expect(await who()).toBe(seen.relay), patience);
});

test('the IPv6 address stops answering: the same line goes on by IPv4, and back', async () => {
  await ip('relay', `addr del ${relay6}/128 dev lo`);
  await ip('relay', `route add blackhole ${relay6}/128`);
  await vi.waitFor(async () => expect(await strandsFrom()).toContain('10.0.1.2'), patience);
  await bonded();
  expect(await who('198.51.100.10')).toBe(seen.relay4);
  await ip('relay', `route del blackhole ${relay6}/128`);
  await address('relay', `${relay6}/128`, 'lo');
});

test('without the relay IPv6 is refused at once, unless the machine forwards it: then it leaves behind the line', async () => {
  await stage.end('relay', 'SIGKILL');
  await vi.waitFor(async () => expect((await status()).summary).toContain('leave directly by'), patience);
  await vi.waitFor(refused, patience);
  // With forwarding a router stops listening to router advertisements; addresses and routes here are set by hand.
  await at('box', 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');
  await vi.waitFor(async () => expect(await who()).toBe(seen.line), patience);
  await at('lan', 'ping', '-6', '-c', '1', '-W', '2', '2001:db8:b::10');
  await at('box', 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=0');
});

test('a relay whose first address leads nowhere is reached by the second', async () => {
  await ip('relay', 'route add blackhole 2001:db8:de::1/128');
  stage.start('relay');
  await stage.end('box', 'SIGTERM');
  expect(await kernelOfBox()).toBe(untouched);
  stage.configure({ relay: { addresses: ['2001:db8:de::1', relay6], pin: stage.pinOf('relay') } });
  stage.start('box');
  await vi.waitFor(async () => expect((await status()).uplinks[0]?.verdict).toBe('up'), patience);
  expect((await status()).uplinks[1]?.reason).toContain('no address of the family');
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(untouched);
});
