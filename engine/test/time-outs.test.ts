import { readFileSync } from 'node:fs';

import { limits, ResetReason, StrandRole, type Stream } from '@tresse/core';
import { FreeListPool } from '@tresse/kit';
import {
  bestAead,
  bindAddress,
  closeFd,
  connectStart,
  ECONNRESET,
  EventLoop,
  listen,
  localName,
  nativeSlab,
  peerName,
  tcpSocket,
} from '@tresse/sys';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { SessionDriver } from '../src/worker/session-driver.ts';
import { StrandCaller } from '../src/worker/strand-caller.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { StrandSocket } from '../src/worker/strand-socket.ts';
import { type Connect, StreamSockets } from '../src/worker/stream-sockets.ts';
import { Braid } from './braid.ts';
import { connectedPair, finish, Peer, Server, settle, socketCount, until } from './peer.ts';

const aead = bestAead('aes-256-gcm');
const refuse: Connect = () => ({ refused: ResetReason.forbidden });

let before: number;
const undo: (() => void)[] = [];

beforeEach(() => {
  before = socketCount();
});

afterEach(() => {
  for (const one of undo.splice(0).toReversed()) one();
  expect(socketCount()).toBe(before);
});

/** A port where connections neither stand nor fail: its listener has no place left. */
function deafPort(): number {
  const fd = tcpSocket(4);
  bindAddress(fd, '127.0.0.1', 0);
  listen(fd, 0);
  const { port } = localName(fd);
  const fillers = [1, 2].map(() => {
    const filler = tcpSocket(4);
    connectStart(filler, '127.0.0.1', port);
    return filler;
  });
  undo.push(() => [fd, ...fillers].forEach((one) => closeFd(one)));
  return port;
}

function driverOf(side: 'box' | 'relay'): { driver: SessionDriver; loop: EventLoop; closed: string[] } {
  const loop = new EventLoop();
  const closed: string[] = [];
  const driver = new SessionDriver(side, 'peer', loop, new FreeListPool(nativeSlab, 0), refuse, () => {}, {
    onPath: () => {},
    onAnswered: () => {},
    onStrandClosed: (_strand, _socket, reason) => closed.push(reason),
    onOver: () => {},
  });
  undo.push(() => {
    driver.end('test ends');
    finish(loop);
  });
  return { driver, loop, closed };
}

/** A strand whose other end says nothing. */
function strandOf(driver: SessionDriver, loop: EventLoop): StrandSocket {
  const { near, far } = connectedPair(loop);
  const keys = strandKeys(aead, new Uint8Array(32), new Uint8Array(16));
  const own = { seal: keys.down, sealCounter: 0, open: keys.up, openCounter: 1 };
  const socket = new StrandSocket(far, loop, aead, own, driver);
  driver.addStrand(socket, 1, 1, StrandRole.quick);
  socket.watch();
  undo.push(() => closeFd(near));
  return socket;
}

test('a strand that takes nothing is closed after 30 s', () => {
  const { driver, loop, closed } = driverOf('relay');
  const socket = strandOf(driver, loop);
  driver.onBlocked(socket);
  driver.sweep(loop.nowMs + 29_900);
  expect(closed).toEqual([]);
  driver.sweep(loop.nowMs + 30_100);
  expect(closed).toEqual(['takes nothing']);
});

test('an opening that is not answered is given up after 5 s', () => {
  const { driver, loop, closed } = driverOf('box');
  strandOf(driver, loop);
  driver.sweep(loop.nowMs + 4_900);
  expect(closed).toEqual([]);
  driver.sweep(loop.nowMs + 5_100);
  expect(closed).toEqual(['not answered']);
});

test('a connection to the relay that does not stand is given up after 3 s', () => {
  const { driver, loop } = driverOf('box');
  const told: string[] = [];
  const kid = { kid: new Uint8Array(8), secret: new Uint8Array(32), cipher: 'aes-256-gcm' } as const;
  const caller = new StrandCaller(driver, kid, loop, 0, (_level, _text, fields) => told.push(String(fields['reason'])));
  undo.push(() => caller.end());
  const path = { path: 1, uplink: 'wan', interface: 'lo', localAddress: '127.0.0.1', enabled: true, metered: false };
  caller.setPaths(new Map([[1, { ...path, relayAddress: '127.0.0.1', relayPort: deafPort() }]]));
  caller.dialer.enable(1, true);
  const sockets = socketCount();
  caller.dial(loop.nowMs);
  expect(socketCount()).toBe(sockets + 1);
  loop.turn(20);
  caller.sweep(loop.nowMs + 2_900);
  expect(told).toEqual([]);
  caller.sweep(loop.nowMs + 3_100);
  expect(told).toEqual(['connection timed out']);
  expect(caller.faultOf(1)).toBe('ETIMEDOUT');
  caller.setPaths(new Map());
  expect(caller.faultOf(1)).toBeUndefined();
  expect(socketCount()).toBe(sockets);
});

test('a server that does not answer is given up after 10 s: a reset to the client, with the reason', () => {
  const port = deafPort();
  const braid = new Braid().addPath(1);
  undo.push(() => braid.end());
  const { client, stream } = braid.dial(port);
  const { loop, relay } = braid;
  until(loop, () => relay.sockets.count === 1, 'the attempt');
  relay.sockets.sweep(loop.nowMs + 9_900);
  settle(loop);
  expect(client.over).toBe(false);
  relay.sockets.sweep(loop.nowMs + 10_100);
  const told = vi.spyOn(braid.box.sockets, 'reset');
  until(loop, () => client.over, 'the reset');
  expect(client.failed).toBe(ECONNRESET);
  expect(told.mock.calls).toEqual([[stream, ResetReason.timeout]]);
});

test('so many connections may wait for their servers, and no more', () => {
  const port = deafPort();
  const loop = new EventLoop();
  undo.push(() => finish(loop));
  const reasons: number[] = [];
  const sockets = new StreamSockets(
    loop,
    () => {
      const fd = tcpSocket(4);
      connectStart(fd, '127.0.0.1', port);
      return { fd };
    },
    () => {},
  );
  // What the session would do.
  const session = { resetStream: (_stream: Stream, reason: number) => reasons.push(reason) };
  sockets.attach(session as never);
  for (let i = 0; i < limits.pendingConnectsMax; i++) sockets.connect({ id: i } as never);
  expect([sockets.count, reasons.length]).toEqual([limits.pendingConnectsMax, 0]);
  sockets.connect({ id: -1 } as never);
  expect([sockets.count, reasons]).toEqual([limits.pendingConnectsMax, [ResetReason.limit]]);
  sockets.sweep(loop.nowMs + 10_100);
  expect(sockets.count).toBe(0);
});

const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');

/** How long the kernel waits until it asks whether the peer of a connection is still there, s (proc_net_tcp(5)). */
function keepAliveS(localPort: number, remotePort: number): number | undefined {
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((one) => one.trim().split(/\s+/u))
    .find(
      ([, local = '', remote = '']) => local.endsWith(`:${hex(localPort)}`) && remote.endsWith(`:${hex(remotePort)}`),
    );
  const [timer, ticks = '0'] = line?.[5]?.split(':') ?? [];
  return timer === '02' ? Number.parseInt(ticks, 16) / 100 : undefined;
}

test('idle streams are asked after by TCP keepalive after two hours, at both ends', () => {
  const braid = new Braid().addPath(1);
  const server = new Server(braid.loop);
  undo.push(() => {
    server.close();
    braid.end();
  });
  const { client } = braid.dial(server.port);
  until(braid.loop, () => server.peers.length === 1, 'the connection at the server');
  const [far] = server.peers as [Peer];
  const relayPort = (): number => peerName(far.fd).port;
  const ends = (): (number | undefined)[] => [
    keepAliveS(relayPort(), server.port),
    keepAliveS(peerName(client.fd).port, localName(client.fd).port),
  ];
  until(braid.loop, () => ends().every((one) => one !== undefined), 'both timers');
  for (const one of ends()) expect(one).toSatisfy((seconds: number) => seconds > 7_100 && seconds <= 7_200);
});
