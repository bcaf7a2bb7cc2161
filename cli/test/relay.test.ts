import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, expect, test, vi } from 'vitest';

import { tresseCommand } from '../src/index.ts';
import { published, relay as relayStatus } from './statuses.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const end of ends.splice(0)) end();
});

interface Asked {
  method: string | undefined;
  url: string | undefined;
  body: unknown;
}

/** A relay's local socket that answers everything with this. */
async function relay(answer: unknown, status = 200): Promise<{ state: string; asked: Asked[] }> {
  const state = mkdtempSync(join(tmpdir(), 'tresse-cli-'));
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece: Buffer) => (text += piece.toString()));
    request.on('end', () => {
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      asked.push({ method: request.method, url: request.url, body });
      response.writeHead(status).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(join(state, 'api.sock'), resolve);
  });
  ends.push(() => {
    server.close();
    rmSync(state, { recursive: true, force: true });
  });
  return { state, asked };
}

/** Runs `tresse relay ...`. Returns what went to standard output and standard error. */
async function tresse(...argv: string[]): Promise<{ out: string; err: string }> {
  const said = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (said.out += String(text)) !== '');
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => (said.err += String(text)) !== '');
  await tresseCommand().parseAsync(['node', 'tresse', 'relay', ...argv]);
  return said;
}

const answer = { code: 'TRESSE0123', expiresAtMs: 1, addresses: ['203.0.113.1', '2001:db8::1'], port: 7443 };

test('a code stands alone on standard output; how long it is good, beside it', async () => {
  const { state, asked } = await relay(answer);
  const { out, err } = await tresse('pair', '--state', state);
  expect(out).toBe('TRESSE0123\n');
  expect(err).toContain('Good for one box, for 1 h. There: tresse box pair CODE');
  expect(err).toContain('203.0.113.1, 2001:db8::1, TCP port 7443');
  await tresse('pair', '--state', state, '--name', 'home', '--valid', '30min');
  expect(asked).toEqual([
    { method: 'POST', url: '/v1/pair', body: { validMs: 3_600_000 } },
    { method: 'POST', url: '/v1/pair', body: { validMs: 1_800_000, name: 'home' } },
  ]);
});

test('a terminal gets a QR code too', async () => {
  const { state } = await relay(answer);
  const before = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY') ?? { value: undefined, configurable: true };
  ends.push(() => Object.defineProperty(process.stdout, 'isTTY', before));
  Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true });
  expect((await tresse('pair', '--state', state)).out).toMatch(/^TRESSE0123\n[\s█▀▄]+\n$/u);
});

test('a time that is none is a sentence', async () => {
  await expect(tresse('pair', '--valid', 'soon')).rejects.toThrow('--valid: "soon" is not a number and its unit');
});

test('boxes are listed, as a table or as JSON', async () => {
  const list = { nowMs: 5, boxes: [{ name: 'home', pin: 'p', origin: 'paired', connected: true }] };
  const { state } = await relay(list);
  expect((await tresse('boxes', '--state', state)).out).toContain('home  p    connected');
  expect(JSON.parse((await tresse('boxes', '--state', state, '--json')).out)).toEqual(list);
});

test('rename and revoke ask for it and say what is so now', async () => {
  const { state, asked } = await relay({ done: true });
  expect((await tresse('rename', 'a', 'b', '--state', state)).out).toBe('The box "a" is called "b" now.\n');
  expect((await tresse('revoke', 'b', '--state', state)).out).toContain('The box "b" is out.');
  expect(asked.map((one) => [one.url, one.body])).toEqual([
    ['/v1/boxes/rename', { from: 'a', to: 'b' }],
    ['/v1/boxes/revoke', { name: 'b' }],
  ]);
});

test("the relay's refusal is its sentence", async () => {
  const { state } = await relay({ code: 'NAME_TAKEN', sentence: 'A box is called "home" already.' }, 422);
  await expect(tresse('pair', '--state', state, '--name', 'home')).rejects.toThrow('A box is called "home" already.');
});

test('publish and unpublish ask for it and say what is so now', async () => {
  const { state, asked } = await relay({ done: true });
  const done = await tresse('publish', '80', 'home', '192.168.7.10:8080', 'fd00::a', '--state', state);
  expect(done.out).toBe('TCP port 80 of this relay leads to 192.168.7.10:8080 and fd00::a of "home" now.\n');
  const both = ['--protocol', 'both', '--from', '192.0.2.7, 2001:db8::/32', '--hide-clients'];
  expect((await tresse('publish', '53', 'home', '192.168.7.10', ...both, '--state', state)).out).toContain(
    'TCP port 53 and UDP port 53 of this relay',
  );
  expect((await tresse('unpublish', '53', '--state', state)).out).toBe('Port 53 leads nowhere now.\n');
  expect(asked.map((one) => [one.url, one.body])).toEqual([
    [
      '/v1/publish',
      { port: 80, protocol: 'tcp', box: 'home', to: ['192.168.7.10:8080', 'fd00::a'], from: [], clients: 'shown' },
    ],
    [
      '/v1/publish',
      {
        port: 53,
        protocol: 'both',
        box: 'home',
        to: ['192.168.7.10'],
        from: ['192.0.2.7/32', '2001:db8::/32'],
        clients: 'hidden',
      },
    ],
    ['/v1/unpublish', { port: 53, protocol: 'both' }],
  ]);
  await expect(tresse('publish', 'http', 'home', '192.168.7.10', '--state', state)).rejects.toThrow('port');
  await expect(tresse('publish', '80', 'home', 'web.lan', '--state', state)).rejects.toThrow('not a host of a LAN');
});

test('what is published is listed, as a table or as JSON', async () => {
  const { published: _, ...older } = relayStatus;
  const empty = await relay(older);
  expect((await tresse('published', '--state', empty.state)).out).toBe(
    'Nothing is published: "tresse relay publish" does.\n',
  );
  const { state } = await relay({ ...relayStatus, published });
  expect((await tresse('published', '--state', state)).out.split('\n')).toEqual(
    [
      'PUBLISHED     BOX   HOST          CLIENTS         STATE',
      'TCP port 80   home  192.168.7.10  any             open, 2 connected',
      'UDP port 53   home  192.168.7.10  192.0.2.0/24    not reached: home is not connected',
      '',
    ].map((line) => expect.stringMatching(new RegExp(`^${line.replaceAll(/ +/gu, ' +')}$`, 'u')) as string),
  );
  expect(JSON.parse((await tresse('published', '--state', state, '--json')).out)).toEqual(published);
});
