/** Ports of the relay lead to a host of the LAN: TCP and UDP, both families, by file and by command, until they are taken back. */
import { readFileSync } from 'node:fs';

import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { kernelOfRelay, at, kernelOfBox, Stage } from './stage.ts';

const patience = { timeout: 20_000, interval: 100 };
const relay4 = '203.0.113.1';
const relay6 = '2001:db8:aa::1';
const client = { 4: '198.51.100.10', 6: '2001:db8:b::10' } as const;
/** Answers with whom it sees: a web server, and one of UDP that takes both families. */
const web =
  "http.createServer((request, answer) => { const end = () => answer.end('lan ' + request.socket.remoteAddress); answer.write(''); " +
  "if (request.url === '/slow') { let left = 30; const t = setInterval(() => { answer.write('.'); if (--left === 0) { clearInterval(t); end(); } }, 100); } else end(); }).listen(80, '::')";
const echo =
  "const s = require('dgram').createSocket('udp6'); s.on('message', (m, r) => s.send('lan ' + r.address, r.port, r.address)); s.bind(9000, '::');";
/** Sends a datagram until it is answered, and prints the answer; fails after a while. */
const asker =
  "const [to, port] = process.argv.slice(1); const s = require('dgram').createSocket(to.includes(':') ? 'udp6' : 'udp4'); setTimeout(() => process.exit(3), 1500); " +
  "const t = setInterval(() => s.send('?', +port, to), 200); s.on('error', () => process.exit(4)); s.on('message', (m) => { console.log(String(m)); process.exit(0); }); s.send('?', +port, to);";

let stage: Stage;
let boxBefore = '';
let relayBefore = '';

const status = (room: 'box' | 'relay'): Promise<DaemonStatus> => stage.statusOf(room);
const fetched = (port: number, host = relay4, path = ''): Promise<string> =>
  at('inet', 'curl', '-gsS', '-m', '8', `http://${host.includes(':') ? `[${host}]` : host}:${port}/${path}`);
const asked = (port: number, host = relay4): Promise<string> =>
  at('inet', process.execPath, '-e', asker, host, String(port)).then((text) => text.trim());
const relay = (...argv: string[]): Promise<string> => stage.tresse('relay', 'relay', 'relay', ...argv);
const carries = (): Promise<void> =>
  vi.waitFor(async () => expect((await status('box')).tunnel).toBe('carries'), patience);

const six = (place: 'lan' | 'box' | 'relay' | 'inet', text: string, device: string): Promise<string> =>
  at(place, 'ip', '-6', 'addr', 'add', text, 'dev', device, 'nodad');

beforeAll(async () => {
  stage = await Stage.lay();
  await six('lan', 'fd77::2/64', 'eth0');
  await six('box', 'fd77::1/64', 'lan0');
  await six('relay', `${relay6}/128`, 'lo');
  await six('relay', '2001:db8:b::1/64', 'net0');
  await six('inet', `${client[6]}/64`, 'eth0');
  await at('lan', 'ip', '-6', 'route', 'add', 'default', 'via', 'fd77::1');
  await at('inet', 'ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:b::1');
  await at('relay', 'ip', 'route', 'add', 'default', 'via', client[4]);
  await at('relay', 'ip', '-6', 'route', 'add', 'default', 'via', client[6]);
  stage.serve('lan', process.execPath, '-e', web);
  stage.serve('lan', process.execPath, '-e', echo);
  [boxBefore, relayBefore] = await Promise.all([kernelOfBox(), kernelOfRelay()]);
  const to = ['192.168.77.2', 'fd77::2'];
  const publish = [
    { port: 80, box: 'home', to },
    { port: 9000, protocol: 'udp', box: 'home', to },
    { port: 81, box: 'home', to: '192.168.77.2:80', from: [client[4]], clients: 'hidden' },
    { port: 9001, protocol: 'udp', box: 'home', to: '192.168.77.2:9000', from: ['192.0.2.0/24'] },
  ];
  stage.configure({}, { workers: 2, publish });
  stage.start('relay');
  stage.start('box');
  await carries();
});
afterAll(async () => {
  await stage?.clear();
});

test('a web server of the LAN answers on the relay’s addresses, IPv4 and IPv6', async () => {
  await vi.waitFor(async () => expect(await fetched(80)).toContain('lan '), patience);
  expect(await fetched(80)).toBe(`lan ::ffff:${client[4]}`);
  expect(await fetched(80, relay6)).toBe(`lan ${client[6]}`);
  // Clients may be hidden from the host, and come only from where they may.
  expect(await fetched(81)).toBe('lan ::ffff:192.168.77.1');
  await expect(fetched(81, relay6)).rejects.toThrow(/refused|Couldn't connect/u);
});

test('UDP reaches the LAN host from the client’s own address, IPv4 and IPv6; from elsewhere the port is closed', async () => {
  await vi.waitFor(async () => expect(await asked(9000)).toBe(`lan ::ffff:${client[4]}`), patience);
  await vi.waitFor(async () => expect(await asked(9000, relay6)).toBe(`lan ${client[6]}`), patience);
  await expect(asked(9001)).rejects.toThrow();
  await expect(asked(9001, relay6)).rejects.toThrow();
});

test('both daemons show what is published', async () => {
  const { published } = await status('relay');
  expect(published.map((one) => [one.protocol, one.port, one.box, one.works, one.reason])).toEqual([
    ['tcp', 80, 'home', true, 'open'],
    ['udp', 9000, 'home', true, 'open'],
    ['tcp', 81, 'home', true, 'open'],
    ['udp', 9001, 'home', true, 'open by IPv4 alone'],
  ]);
  expect((await status('box')).published).toHaveLength(4);
  expect(await stage.status('box')).toMatch(/TCP port 81 +192\.168\.77\.2:80 +198\.51\.100\.10\/32 +let through/u);
  expect(await relay('published')).toMatch(
    /UDP port 9001 +home +192\.168\.77\.2:9000 +192\.0\.2\.0\/24 +open by IPv4 alone/u,
  );
});

test('a command publishes at once, with running transfers unharmed, and refuses what clashes in a sentence', async () => {
  const slow = fetched(80, relay4, 'slow');
  const refused = async (sentence: string, ...argv: string[]): Promise<void> => {
    await expect(relay('publish', ...argv)).rejects.toThrow(sentence);
  };
  await refused(
    'TCP port 80 leads to 192.168.77.2 and fd77::2 of home already, as relay.yaml says.',
    '80',
    'home',
    '192.168.77.2',
  );
  await refused("UDP port 7443 is the relay's own", '7443', 'home', '192.168.77.2', '--protocol', 'udp');
  await refused('No box is called "office"', '82', 'office', '192.168.77.2');
  await refused(
    '192.168.78.2 is no host that home lets be published (192.168.77.0/24, fd77::/64',
    '82',
    'home',
    '192.168.78.2',
  );
  await refused('not a host of a LAN', '82', 'home', 'localhost');
  await refused('no machine can have this address', '82', 'home', '192.168.77.2', '--from', '127.0.0.1');
  await refused('port: 0', '0', 'home', '192.168.77.2');
  const taken = stage.serve('relay', process.execPath, '-e', "require('net').createServer().listen(8083, '0.0.0.0')");
  await vi.waitFor(
    async () => expect(await at('relay', 'ss', '-Htln', 'sport', '=', ':8083')).toContain('8083'),
    patience,
  );
  await refused(
    'TCP port 8083 is in use by another program of this machine.',
    '8083',
    'home',
    '192.168.77.2',
    '--protocol',
    'both',
  );
  await taken();
  expect((await status('relay')).published).toHaveLength(4);

  expect(await relay('publish', '8082', 'home', '192.168.77.2:80', '[fd77::2]:80')).toContain(
    'TCP port 8082 of this relay leads to 192.168.77.2:80 and [fd77::2]:80 of "home" now.',
  );
  expect(await fetched(8082)).toContain('lan ');
  expect(await slow).toBe(`${'.'.repeat(30)}lan ::ffff:${client[4]}`);
  await relay('publish', '9002', 'home', '192.168.77.2:9000', '--protocol', 'both', '--hide-clients');
  await vi.waitFor(async () => expect(await asked(9002)).toBe('lan ::ffff:192.168.77.1'), patience);
  await vi.waitFor(async () => {
    await expect(fetched(9002)).rejects.toThrow();
    expect(await relay('published')).toContain('not reached: the host refuses connections to this port');
  }, patience);
  expect(JSON.parse(readFileSync(stage.file('relay', 'published.json'), 'utf8'))).toMatchObject({
    ports: [{ port: 8082 }, { port: 9002, protocol: 'tcp' }, { port: 9002, protocol: 'udp' }],
  });
});

test('it is all there again when the relay is, and when the box is', async () => {
  await stage.end('relay', 'SIGKILL');
  stage.start('relay');
  await vi.waitFor(async () => expect(await fetched(8082)).toContain('lan '), patience);
  await vi.waitFor(async () => expect(await asked(9002)).toBe('lan ::ffff:192.168.77.1'), patience);
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  await vi.waitFor(
    async () => expect(await relay('published')).toContain('not reached: home is not connected'),
    patience,
  );
  await expect(fetched(80)).rejects.toThrow(/reset|Couldn't connect/u);
  stage.start('box');
  await vi.waitFor(async () => expect(await fetched(80)).toContain('lan '), patience);
  await vi.waitFor(async () => expect(await asked(9000, relay6)).toBe(`lan ${client[6]}`), patience);
});

test('taken back, a port is closed at once, and another may have it', async () => {
  await expect(relay('unpublish', '80')).rejects.toThrow('TCP port 80 stands in relay.yaml');
  await expect(relay('unpublish', '8085')).rejects.toThrow('TCP port 8085 or UDP port 8085 is not published');
  expect(await relay('unpublish', '8082')).toBe('Port 8082 leads nowhere now.\n');
  await expect(fetched(8082)).rejects.toThrow(/refused|Couldn't connect/u);
  await relay('unpublish', '9002', '--protocol', 'udp');
  await vi.waitFor(async () => await expect(asked(9002)).rejects.toThrow(), patience);
  expect((await status('relay')).published.map((one) => `${one.protocol} ${one.port}`)).toContain('tcp 9002');
  await relay('unpublish', '9002');
});

test('a box that lets nothing be published connects to nobody, and says so', async () => {
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(boxBefore);
  stage.configure({ publishable: ['192.168.77.9'] }, {});
  stage.start('box');
  await carries();
  const sentence = '192.168.77.2 is no host that may be published ("publishable" in box.yaml)';
  await vi.waitFor(async () => expect((await status('box')).published[0]?.reason).toBe(sentence), patience);
  await expect(fetched(80)).rejects.toThrow(/reset|Couldn't connect/u);
  await expect(asked(9000)).rejects.toThrow();
  expect((await status('relay')).published[0]?.reason).toContain('192.168.77.2 is no host that home lets be published');
});

test('nothing is left behind', async () => {
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(boxBefore);
  expect(await kernelOfRelay()).toBe(relayBefore);
});
