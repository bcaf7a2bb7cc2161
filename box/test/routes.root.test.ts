/** Hosts of the LAN and hosts of a private network behind the relay reach each other, as far as both daemons' files allow it. */
import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { kernelOfRelay, at, kernelOfBox, nameOf, Stage } from './stage.ts';

const patience = { timeout: 20_000, interval: 100 };
/** The private network, with the relay and a host in it, and another one that no route names. */
const behind = { relay: '10.20.0.1', host: '10.20.0.10', other: '10.30.0.10', relay6: 'fd20::1', host6: 'fd20::10' };
const lan = { host: '192.168.77.2', box: '192.168.77.1', host6: 'fd77::2' };
/** Tells each client whom it sees; `/long` gives three megabytes. */
const web =
  "http.createServer((request, answer) => answer.end(request.url === '/long' ? Buffer.alloc(3e6, 'x') : request.socket.remoteAddress.replace('::ffff:', ''))).listen(80, '::')";
const echo =
  "const s = require('dgram').createSocket('udp6'); s.on('message', (m, r) => s.send(r.address.replace('::ffff:', ''), r.port, r.address)); s.bind(9000, '::');";
const asker =
  "const [to] = process.argv.slice(1); const s = require('dgram').createSocket(to.includes(':') ? 'udp6' : 'udp4'); setTimeout(() => process.exit(3), 1500); " +
  "const t = setInterval(() => s.send('?', 9000, to), 200); s.on('error', () => process.exit(4)); s.on('message', (m) => { console.log(String(m)); process.exit(0); });";

let stage: Stage;
let boxBefore = '';
let relayBefore = '';

const status = (room: 'box' | 'relay'): Promise<DaemonStatus> => stage.statusOf(room);
const fetched = (from: 'lan' | 'inet', host: string, path = ''): Promise<string> =>
  at(from, 'curl', '-gsS', '-m', '5', `http://${host.includes(':') ? `[${host}]` : host}/${path}`);
const asked = (from: 'lan' | 'inet', host: string): Promise<string> =>
  at(from, process.execPath, '-e', asker, host).then((text) => text.trim());
const pinged = (from: 'lan' | 'inet', host: string): Promise<string> => at(from, 'ping', '-c', '2', '-W', '2', host);
const address = (place: 'lan' | 'box' | 'relay' | 'inet', text: string, device: string): Promise<string> =>
  at(place, 'ip', 'addr', 'add', text, 'dev', device, ...(text.includes(':') ? ['nodad'] : []));
const configure = (reachable: string[]): void =>
  stage.configure(
    { reachable },
    {
      routes: [
        { box: 'home', networks: ['10.20.0.0/24', 'fd20::/64', '10.0.1.0/24'], lan: ['192.168.77.0/24', 'fd77::/64'] },
      ],
    },
  );
const carries = (): Promise<void> =>
  vi.waitFor(async () => expect((await status('box')).tunnel).toBe('carries'), patience);

beforeAll(async () => {
  stage = await Stage.lay();
  await at('relay', 'ip', 'link', 'add', 'net1', 'type', 'veth', 'peer', 'name', 'eth1', 'netns', nameOf('inet'));
  await at('relay', 'ip', 'link', 'set', 'net1', 'up');
  await at('inet', 'ip', 'link', 'set', 'eth1', 'up');
  await address('relay', `${behind.relay}/24`, 'net1');
  await address('relay', '10.30.0.1/24', 'net1');
  await address('relay', `${behind.relay6}/64`, 'net1');
  await address('inet', `${behind.host}/24`, 'eth1');
  await address('inet', `${behind.other}/24`, 'eth1');
  await address('inet', `${behind.host6}/64`, 'eth1');
  await address('lan', `${lan.host6}/64`, 'eth0');
  await address('box', 'fd77::1/64', 'lan0');
  await at('lan', 'ip', '-6', 'route', 'add', 'default', 'via', 'fd77::1');
  await at('inet', 'ip', 'route', 'add', '192.168.77.0/24', 'via', behind.relay);
  await at('inet', 'ip', '-6', 'route', 'add', 'fd77::/64', 'via', behind.relay6);
  await at('relay', 'ip', 'route', 'add', 'default', 'via', '198.51.100.10');
  for (const place of ['lan', 'inet'] as const) {
    stage.serve(place, process.execPath, '-e', web);
    stage.serve(place, process.execPath, '-e', echo);
  }
  stage.serve('box', process.execPath, '-e', web);
  await at('relay', 'sysctl', '-qw', 'net.ipv4.conf.net1.forwarding=0');
  [boxBefore, relayBefore] = await Promise.all([kernelOfBox(), kernelOfRelay()]);
  configure(['192.168.77.0/24', 'fd77::/64']);
  stage.start('relay');
  stage.start('box');
  await carries();
});
afterAll(async () => {
  await stage?.clear();
});

test('hosts of the LAN reach the network behind the relay, from its address there', async () => {
  await vi.waitFor(async () => expect(await fetched('lan', behind.host)).toBe(behind.relay), patience);
  expect(await fetched('lan', behind.host6)).toBe(behind.relay6);
  await vi.waitFor(async () => expect(await asked('lan', behind.host)).toBe(behind.relay), patience);
  await vi.waitFor(async () => expect(await asked('lan', behind.host6)).toBe(behind.relay6), patience);
  expect(await pinged('lan', behind.host)).toContain(' 0% packet loss');
  // What no route names leaves by a line, as private networks do, and not through the relay.
  expect(await fetched('lan', behind.other)).toMatch(/^10\.0\.[12]\.2$/u);
});

test('hosts there reach the LAN by their own addresses, TCP too, and not the box itself', async () => {
  await vi.waitFor(async () => expect(await fetched('inet', lan.host)).toBe(behind.host), patience);
  expect(await fetched('inet', lan.host6)).toBe(behind.host6);
  expect(await asked('inet', lan.host)).toBe(behind.host);
  expect(await asked('inet', lan.host6)).toBe(behind.host6);
  expect(await pinged('inet', lan.host)).toContain(' 0% packet loss');
  expect((await fetched('inet', lan.host, 'long')).length).toBe(3e6);
  await expect(fetched('inet', lan.box)).rejects.toThrow();
  await expect(
    at('inet', 'curl', '-sS', '-m', '2', '--interface', behind.other, `http://${lan.host}/`),
  ).rejects.toThrow();
});

test('both daemons show the routes; one that lies where the box is itself is not taken', async () => {
  const routes = { networks: ['10.20.0.0/24', 'fd20::/64'], lan: ['192.168.77.0/24', 'fd77::/64'] };
  expect((await status('relay')).routes).toEqual([
    { ...routes, box: 'home', networks: [...routes.networks, '10.0.1.0/24'], faults: [] },
  ]);
  expect((await status('box')).routes).toEqual([
    { ...routes, faults: ['10.0.1.0/24 is not taken: a network of this machine lies there'] },
  ]);
  expect(await stage.tresse('box', 'box', 'box', 'check', '--config', stage.config('box'))).toContain(
    'Nothing would change',
  );
});

test('what the box does not allow is not reached; the other way goes on', async () => {
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(boxBefore);
  configure([]);
  stage.start('box');
  await carries();
  await vi.waitFor(async () => expect(await fetched('lan', behind.host)).toBe(behind.relay), patience);
  await expect(fetched('inet', lan.host)).rejects.toThrow();
  await expect(asked('inet', lan.host)).rejects.toThrow();
  expect(await stage.status('relay')).toContain(
    '192.168.77.0/24 is not reached: "reachable" in box.yaml of home does not name it.',
  );
});

test('without the relay nothing for that network leaves by a line', async () => {
  await stage.end('relay', 'SIGKILL');
  await vi.waitFor(async () => expect((await status('box')).summary).toContain('the relay is not reached'), patience);
  await vi.waitFor(
    async () => await expect(fetched('lan', behind.host)).rejects.toThrow(/refused|Couldn't connect/u),
    patience,
  );
});

test('nothing is left behind', async () => {
  stage.start('relay');
  await carries();
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(boxBefore);
  expect(await kernelOfRelay()).toBe(relayBefore);
});
