import { EventLoop } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { DirectPump } from '../src/worker/direct-pump.ts';
import { connectedPair, finish, listening, pattern, Peer, Server, socketCount, until } from './peer.ts';

// Marks and binding to an interface need root; all of it stays on loopback.
const source = { interface: 'lo', address: '127.0.0.5' };
let loop: EventLoop;
let before = 0;

beforeEach(() => {
  before = socketCount();
  loop = new EventLoop();
});
afterEach(() => {
  finish(loop);
  expect(socketCount()).toBe(before);
});

/** A client whose connection was accepted and goes on to a port of loopback. */
function sentOn(pump: DirectPump, port: number): Peer {
  const { near, far } = connectedPair(loop);
  pump.begin(far, { address: '127.0.0.1', port }, source);
  return new Peer(loop, near);
}

test('bytes go both ways whole, each direction ends by itself, and nothing is left', () => {
  const server = new Server(loop);
  const pump = new DirectPump(loop, 0x52_0000);
  const client = sentOn(pump, server.port);
  const [up, down] = [pattern(3_000_000, 1), pattern(2_000_000, 2)];
  client.send(up).end();
  until(loop, () => server.peers[0]?.ended === true, 'all of the client, and its end');
  expect(server.peers[0]?.heard.equals(up)).toBe(true);
  server.peers[0]?.send(down).end();
  until(loop, () => client.ended, 'all of the server, and its end');
  expect(client.heard.equals(down)).toBe(true);
  expect(pump.counters).toEqual({ directBegun: 1, directFailed: 0 });
  client.close();
  server.close();
});

test('a reset of one end is a reset of the other', () => {
  const server = new Server(loop);
  const pump = new DirectPump(loop, 0x52_0000);
  const [one, two] = [sentOn(pump, server.port), sentOn(pump, server.port)];
  one.send('a');
  until(loop, () => server.peers[0]?.text === 'a', 'the first');
  two.send('b');
  until(loop, () => server.peers[1]?.text === 'b', 'the second');
  one.reset();
  until(loop, () => (server.peers[0]?.failed ?? 0) !== 0, 'the server to hear of it');
  server.peers[1]?.reset();
  until(loop, () => two.failed !== 0, 'the client to hear of it');
  two.close();
  server.close();
});

test('a target that refuses, and the end of the pump, are resets', () => {
  const closed = listening();
  const server = new Server(loop);
  const pump = new DirectPump(loop, 0x52_0000);
  const refused = sentOn(pump, 1);
  until(loop, () => refused.failed !== 0, 'the refusal');
  expect(pump.counters.directFailed).toBe(1);
  const cut = sentOn(pump, server.port).send('x');
  until(loop, () => server.peers[0]?.text === 'x', 'a byte');
  pump.end();
  until(loop, () => cut.failed !== 0 && (server.peers[0]?.failed ?? 0) !== 0, 'both ends to be reset');
  for (const peer of [refused, cut]) peer.close();
  server.close();
  new Peer(loop, closed.fd).close();
});

test('a client that hangs gets a reset when no connection stands in time', () => {
  const pump = new DirectPump(loop, 0x52_0000);
  const { near, far } = connectedPair(loop);
  // Nothing on loopback answers at such an address of another host.
  pump.begin(far, { address: '240.0.0.1', port: 9 }, source);
  const client = new Peer(loop, near);
  pump.sweep(1);
  pump.sweep(60_000);
  until(loop, () => client.failed !== 0, 'the reset');
  client.close();
});
