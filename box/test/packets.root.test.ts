/** What is no TCP goes through the relay by the tunnel, of two boxes at two workers; directly while no datagram gets through. */
import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { kernelOfRelay, at, kernelOfBox, Stage } from './stage.ts';

const byRelay = '198.51.100.1';
const directly = /^10\.0\.[12]\.2$/u;
const patience = { timeout: 15_000, interval: 100 };
/** Tells each sender of a datagram where it came from, and how long it was. */
const server =
  "const s = require('dgram').createSocket('udp4'); s.on('message', (m, r) => s.send(r.address + ' ' + m.length, r.port, r.address)); s.bind(9000);";
/** Sends a datagram of so many bytes until it is answered, and prints the answer. */
const client =
  "const [to, port, bytes] = process.argv.slice(1); const s = require('dgram').createSocket('udp4'); const t = setInterval(() => s.send(Buffer.alloc(+bytes), +port, to), 100); " +
  "s.on('message', (m) => { console.log(String(m)); clearInterval(t); s.close(); }); s.send(Buffer.alloc(+bytes), +port, to);";

let stage: Stage;
let relayBefore = '';

const asked = (place: 'lan' | 'lan2' = 'lan', bytes = 100, to = '198.51.100.10'): Promise<string> =>
  at(place, process.execPath, '-e', client, to, '9000', String(bytes)).then((text) => text.trim());
const seenFrom = async (place: 'lan' | 'lan2' = 'lan'): Promise<string> => (await asked(place)).split(' ')[0] ?? '';
/** What ping says, also where nobody answers. */
const pinged = (...how: string[]): Promise<string> =>
  at('lan', 'sh', '-c', `ping -W 2 ${how.join(' ')} 198.51.100.10 || true`);
const status = (room: 'box' | 'relay'): Promise<DaemonStatus> => stage.statusOf(room);

/** What strands there are. */
const rolesOf = async (room: 'box' | 'relay'): Promise<string[]> =>
  (await status(room)).sessions.flatMap(({ paths }) => paths.flatMap(({ strands }) => strands.map(({ role }) => role)));

/** Whether the relay's machine passes on what comes from the internet by itself, as these lines need that go through it. */
const forwarding = (on: 0 | 1): Promise<string> => at('relay', 'sysctl', '-qw', `net.ipv4.conf.net0.forwarding=${on}`);

beforeAll(async () => {
  stage = await Stage.lay(2);
  await at('relay', 'ip', 'route', 'add', 'default', 'via', '198.51.100.10');
  await forwarding(0);
  stage.serve('inet', process.execPath, '-e', server);
  relayBefore = await kernelOfRelay();
  stage.configure({}, { workers: 2 });
  stage.start('relay');
  stage.start('box');
  stage.start('box2');
});
afterAll(async () => {
  await stage?.clear();
});

test('UDP and pings of two households leave by the relay, each answered to its own', async () => {
  await vi.waitFor(async () => expect(await seenFrom()).toBe(byRelay), patience);
  await vi.waitFor(async () => expect(await seenFrom('lan2')).toBe(byRelay), patience);
  for (const text of await Promise.all(
    (['lan', 'lan2'] as const).map((place) => at(place, 'ping', '-c', '5', '-i', '0.1', '198.51.100.10')),
  )) {
    expect(text).toContain(' 0% packet loss');
  }
  const { sessions } = await status('relay');
  expect(sessions).toHaveLength(2);
  for (const { counters } of sessions) expect(counters).toMatchObject({ datagramsForged: 0, datagramsStrayed: 0 });
  expect((await status('relay')).counters).toMatchObject({ packetsSpoofed: 0, datagramsUnknown: 0 });
});

test('what is too long for the tunnel goes in pieces, and who asks not to is told how long it may be', async () => {
  expect(await asked('lan', 6_000)).toBe(`${byRelay} 6000`);
  const told = await pinged('-c', '2', '-M', 'do', '-s', '1472');
  expect(told).toContain('mtu = 1413');
});

test('the way shows box and relay, and nobody gets at the relay itself', async () => {
  expect(await pinged('-c', '1', '-t', '1')).toContain('192.168.77.1');
  expect(await pinged('-c', '1', '-t', '2')).toMatch(/100\.127\.\d+\.1 .*Time to live exceeded/u);
  expect(await at('relay', 'nft', 'list', 'chain', 'inet', 'tresse', 'tunnelled')).not.toMatch(
    /packets [1-9].*reject/u,
  );
  await at('lan', 'ping', '-c', '1', '198.51.100.1');
  await expect(asked('lan', 100, '198.51.100.1')).rejects.toThrow();
  expect(await at('relay', 'nft', 'list', 'chain', 'inet', 'tresse', 'tunnelled')).toMatch(/packets [1-9].*reject/u);
});

test('while no datagram gets through, packets go in strands, by the relay all the same; then in datagrams again', async () => {
  await at('relay', 'nft', 'add table ip hush; add chain ip hush in { type filter hook input priority 0; }');
  await at('relay', 'nft', 'add rule ip hush in udp dport 7443 drop');
  expect(await seenFrom()).toBe(byRelay);
  expect(await rolesOf('box')).toContain('datagram');
  expect(await stage.status('box')).toMatch(/^dsl .*UDP is blocked there and goes by TCP$/mu);
  expect(await asked('lan', 6_000)).toBe(`${byRelay} 6000`);
  expect(await pinged('-c', '20', '-i', '0.05')).toContain(' 0% packet loss');
  expect((await status('box')).warnings.join()).not.toContain('what is no TCP');
  await at('relay', 'nft', 'delete table ip hush');
});

test('a box whose relay has no tunnel sends it directly', async () => {
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  expect(await kernelOfRelay()).toBe(relayBefore);
  await forwarding(1);
  stage.configure({}, { tunnel: false });
  stage.start('relay');
  await vi.waitFor(async () => expect((await status('box')).summary).toBe('bonding over 2 of 2 lines'), patience);
  await vi.waitFor(async () => expect(await seenFrom()).toMatch(directly), patience);
  expect((await status('box')).warnings.join()).not.toContain('what is no TCP');
  await forwarding(0);
  expect(await kernelOfRelay()).toBe(relayBefore);
});

test('nothing is left behind by a box, nor by a relay that was killed', async () => {
  stage.configure();
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  stage.start('relay');
  await vi.waitFor(async () => expect(await seenFrom()).toBe(byRelay), patience);
  await stage.end('relay', 'SIGKILL');
  stage.start('relay');
  await vi.waitFor(async () => expect(await seenFrom('lan2')).toBe(byRelay), patience);
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  expect(await kernelOfRelay()).toBe(relayBefore);
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).not.toContain('tresse');
});
