import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

import { afterEach, expect, test } from 'vitest';

import { Talker } from '../../src/clients/talker.ts';
import { Content } from '../../src/measure/content.ts';

const content = new Content(3);
const patienceMs = 10_000;
let server: Server | undefined;

afterEach(() => server?.close());

/** A talker, and a server that does this with every connection. */
async function talkerWith(serve: (socket: Socket) => void): Promise<Talker> {
  server = createServer((socket) => serve(socket.on('error', () => socket.destroy())));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new Talker('127.0.0.1', (server.address() as AddressInfo).port, content, 5, 1_000);
}

test('hears what it said, as often as it likes', async () => {
  const talker = await talkerWith((socket) => socket.pipe(socket));
  expect(await talker.exchange(patienceMs)).toMatchObject({ ms: expect.any(Number) as number, why: '' });
  expect(await talker.exchange(patienceMs)).toMatchObject({ ms: expect.any(Number) as number, why: '' });
  expect(talker.open).toBe(true);
  await talker.reset();
  expect(talker.open).toBe(false);
});

test('notices one wrong byte, and never trusts that connection again', async () => {
  const talker = await talkerWith((socket) => {
    socket.on('data', (piece) => {
      const wrong = Buffer.from(piece);
      wrong[700] = (wrong[700] ?? 0) ^ 1;
      socket.write(wrong);
    });
  });
  expect(await talker.exchange(patienceMs)).toEqual({ ms: null, why: 'wrong bytes' });
  expect(await talker.exchange(patienceMs)).toEqual({ ms: null, why: 'wrong bytes' });
  expect(talker.open).toBe(false);
  await talker.reset();
});

test('more than it said is wrong, too', async () => {
  const talker = await talkerWith((socket) => {
    socket.on('data', (piece: Buffer) => socket.write(Buffer.concat([piece, Buffer.of(1)])));
  });
  expect(await talker.exchange(patienceMs)).toEqual({ ms: null, why: 'wrong bytes' });
  await talker.reset();
});

test('a connection that breaks, ends or stays silent is told as such', async () => {
  const broken = await talkerWith((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect(await broken.exchange(patienceMs)).toEqual({ ms: null, why: 'ECONNRESET' });
  server?.close();
  const ended = await talkerWith((socket) => socket.once('data', () => socket.end()));
  expect(await ended.exchange(patienceMs)).toEqual({ ms: null, why: 'closed' });
  server?.close();
  const silent = await talkerWith((socket) => socket.resume());
  expect(await silent.exchange(20)).toEqual({ ms: null, why: 'no answer within 20 ms' });
  await silent.reset();
});
