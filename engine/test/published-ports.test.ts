/** Connections to a relay's public port become streams to a host behind the box, over real sockets. */
import { closeFd, ECONNRESET, localName } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { PublishedPort } from '../src/index.ts';
import { openPublicPort } from '../src/index.ts';
import { lanConnect } from '../src/worker/lan-connect.ts';
import { PublishedPorts } from '../src/worker/published-ports.ts';
import { Braid } from './braid.ts';
import { pattern, Peer, Server, settle, socketCount, until } from './peer.ts';

const access = { networks: [{ network: '127.0.0.0/8', interface: 'lo' }], except: ['127.0.0.9'] };

let before: number;
let braid: Braid;
let ports: PublishedPorts;
let server: Server;
let fds: number[];
let port: number;
/** Whether the box is there. */
let isThere: boolean;
let streamsMax: number;

beforeEach(() => {
  before = socketCount();
  braid = new Braid(undefined, lanConnect(access, 0), (stream, reason) => ports.noteEnd(stream, reason))
    .addPath(1)
    .addPath(2);
  isThere = true;
  streamsMax = 100;
  ports = new PublishedPorts(braid.loop, (peer) =>
    isThere && peer === 'home' ? { driver: braid.relay, streamsMax } : undefined,
  );
  server = new Server(braid.loop);
  fds = openPublicPort('tcp', ['127.0.0.1'], 0);
  ({ port } = localName(fds[0]!));
});

afterEach(() => {
  ports.set([]);
  for (const fd of fds) closeFd(fd);
  server.close();
  braid.end();
  expect(braid.pool.usedBytes + braid.boxPool.usedBytes).toBe(0);
  expect(socketCount()).toBe(before);
});

const turn = (holds: () => boolean, what: string): void => until(braid.loop, holds, what);

function publish(changes: Partial<PublishedPort> = {}): void {
  const targets = { 4: { address: '127.0.0.1', port: server.port } };
  ports.set([{ port, peer: 'home', fds, targets, from: [], ...changes }]);
}

/** A client that comes in; it is closed with the test. */
function visit(): Peer {
  return Peer.connect(braid.loop, port);
}

test('bytes go both ways, unchanged, and each direction ends by itself', () => {
  publish();
  const client = visit();
  turn(() => server.peers.length === 1, 'a connection at the LAN host');
  const up = pattern(3_000_001, 1);
  const down = pattern(5_000_003, 2);
  client.send(up).end();
  server.peers[0]!.send(down);
  turn(() => server.peers[0]!.ended, 'the end of what the client sends');
  expect(server.peers[0]!.heard.equals(up)).toBe(true);
  expect(ports.status()).toEqual([{ port, streams: 1, accepted: 1, refused: 0, failed: 0 }]);
  server.peers[0]!.send('and some more').end();
  turn(() => client.ended, 'the end of the answer');
  expect(client.heard.equals(Buffer.concat([down, Buffer.from('and some more')]))).toBe(true);
  turn(() => braid.box.session.streams.size === 0 && braid.relay.session.streams.size === 0, 'streams forgotten');
  expect(ports.status()).toEqual([{ port, streams: 0, accepted: 1, refused: 0, failed: 0 }]);
  client.close();
});

test('the relay’s streams have even numbers, the box’s odd ones, and both live side by side through the loss of a line', () => {
  publish();
  const inner = braid.dial(server.port);
  const visitor = visit();
  turn(() => server.peers.length === 2, 'both at the server');
  expect([...braid.relay.session.streams.keys()].toSorted((a, b) => a - b)).toEqual([1, 2]);
  const body = pattern(2_000_003, 3);
  for (const peer of server.peers) peer.send(body);
  turn(() => visitor.heardBytes > 100_000, 'a part of it');
  braid.cutPath(1);
  for (const peer of server.peers) peer.end();
  turn(() => visitor.ended && inner.client.ended, 'both ends');
  for (const peer of [visitor, inner.client]) expect(peer.heard.equals(body)).toBe(true);
  visitor.close();
});

test('a reset of either end is a reset to the other', () => {
  publish();
  const client = visit();
  turn(() => server.peers.length === 1, 'a connection at the LAN host');
  client.reset();
  turn(() => server.peers[0]!.failed === ECONNRESET, 'the reset at the LAN host');
  const second = visit();
  turn(() => server.peers.length === 2, 'another');
  server.peers[1]!.reset();
  turn(() => second.failed === ECONNRESET, 'the reset at the client');
  expect(ports.status()[0]).toMatchObject({ streams: 0, failed: 0 });
  second.close();
});

test('why a host does not take connections is told, until it does', () => {
  const closed = openPublicPort('tcp', ['127.0.0.1'], 0);
  const free = localName(closed[0]!).port;
  for (const fd of closed) closeFd(fd);
  publish({ targets: { 4: { address: '127.0.0.1', port: free } } });
  const client = visit();
  turn(() => client.over, 'the end');
  expect(client.failed).toBe(ECONNRESET);
  expect(ports.status()[0]).toMatchObject({ failed: 1, failure: 'the host refuses connections to this port' });
  publish({ targets: { 4: { address: '127.0.0.9', port: server.port } } });
  const second = visit();
  turn(() => second.over, 'the end');
  expect(ports.status()[0]).toMatchObject({ failed: 1, failure: 'the box does not let this host be published' });
  publish({ targets: { 4: { address: '192.0.2.1', port: server.port } } });
  const third = visit();
  turn(() => third.over, 'the end');
  expect(ports.status()[0]).toMatchObject({ failed: 1, failure: 'the box does not let this host be published' });
  for (const one of [client, second, third]) one.close();
});

test('who may not come, and whoever comes while the box is away or full, is reset', () => {
  const refused = (): void => {
    const client = visit();
    turn(() => client.over, 'the refusal');
    client.close();
  };
  publish({ from: ['198.51.100.0/24'] });
  refused();
  expect(ports.status()[0]).toMatchObject({ accepted: 0, refused: 1 });
  publish({ from: ['198.51.100.0/24', '127.0.0.1/32'] });
  isThere = false;
  refused();
  isThere = true;
  const client = visit();
  turn(() => server.peers.length === 1, 'a connection at the LAN host');
  streamsMax = 1;
  refused();
  expect(ports.status()[0]).toMatchObject({ accepted: 1, refused: 2, streams: 1 });
  client.close();
});

test('an address of the LAN is not spoken from, whatever the relay says', () => {
  publish({ showClients: true });
  const client = visit();
  turn(() => server.peers.length === 1, 'a connection at the LAN host');
  client.send('whom do you see?');
  turn(() => server.peers[0]!.text !== '', 'its bytes');
  expect([...braid.box.session.streams.values()].map((stream) => stream.client?.port)).toEqual([
    localName(client.fd).port,
  ]);
  client.close();
});

test('a port that is taken back takes nothing more, and its streams go on', () => {
  publish();
  const client = visit();
  turn(() => server.peers.length === 1, 'a connection at the LAN host');
  ports.set([]);
  const late = visit();
  settle(braid.loop);
  expect(server.peers).toHaveLength(1);
  client.send('still here');
  turn(() => server.peers[0]!.text === 'still here', 'its bytes');
  late.close();
  client.close();
});

test('a public port is one no other has, in both protocols', () => {
  expect(() => openPublicPort('tcp', ['127.0.0.1'], port)).toThrow('EADDRINUSE');
  const kept = openPublicPort('udp', ['127.0.0.1'], port);
  expect(() => openPublicPort('udp', ['127.0.0.2', '127.0.0.1'], port)).toThrow('EADDRINUSE');
  for (const fd of kept) closeFd(fd);
  const any = openPublicPort('tcp', ['any'], 0);
  expect(any.length).toBeGreaterThan(0);
  for (const fd of any) closeFd(fd);
});
