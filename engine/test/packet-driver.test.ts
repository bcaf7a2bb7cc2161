/** Two packet lanes over real UDP sockets on loopback, sealed. */
import { Path, readDatagramHeader } from '@tresse/core';
import { bestAead, closeFd, copyEndpoint, type Endpoint, endpoint, EventLoop, nativeSlab } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { readDatagrams, type TakeDatagram } from '../src/worker/datagram-port.ts';
import { PacketDriver } from '../src/worker/packet-driver.ts';
import { boundUdp, endpointOf, finish, until } from './peer.ts';

const aead = bestAead('aes-256-gcm');
const session = 0x0102_0304;
const paths = [1, 2];
const secret = new Uint8Array(32).fill(9);
const other = new Uint8Array(32).fill(10);

let loop: EventLoop;
const fds: number[] = [];
let box: End;
let relay: End;

interface End {
  driver: PacketDriver;
  /** What came for the hosts behind it. */
  came: Buffer[];
  sockets: number[];
  /** Copies of the datagrams that came. */
  datagrams: { fd: number; bytes: Buffer; from: Endpoint }[];
}

function udp(): number {
  const fd = boundUdp();
  fds.push(fd);
  return fd;
}

function end(side: 'box' | 'relay'): End {
  const came: Buffer[] = [];
  const driver = new PacketDriver(
    side,
    loop,
    new Map(paths.map((id) => [id, new Path(id)])),
    (slab, start, length) => came.push(Buffer.from(slab.bytes.subarray(start, start + length))),
    () => {},
    undefined,
    () => true,
  );
  driver.addKey(session, aead, secret);
  loop.afterBatch(() => driver.afterBatch());
  const made: End = { driver, came, sockets: [], datagrams: [] };
  for (const _ of paths) {
    const fd = udp();
    made.sockets.push(fd);
    listenTo(made, fd);
  }
  return made;
}

function listenTo(made: End, fd: number): void {
  const take: TakeDatagram = (header, slab, start, length, socket, from) => {
    const copy = endpoint();
    copyEndpoint(from, copy);
    made.datagrams.push({ fd, bytes: Buffer.from(slab.bytes.subarray(start, start + length)), from: copy });
    made.driver.receive(header, slab, start, length, socket, from);
  };
  readDatagrams(loop, fd, take, () => made.driver.counters.forged++);
}

/** Hands copies of datagrams to a side, as they are or changed. */
function replay(to: End, fd: number, bytes: Uint8Array, from: Endpoint): boolean {
  const slab = nativeSlab(2_048);
  slab.bytes.set(bytes);
  const header = { path: 0, key: 0, session: 0, number: 0 };
  return (
    readDatagramHeader(slab.bytes, 0, bytes.length, header) &&
    to.driver.receive(header, slab, 0, bytes.length, fd, from)
  );
}

/** An IPv4 packet of UDP, numbered in its last bytes. */
function packet(number: number, length = 600): Buffer {
  const bytes = Buffer.alloc(length, number & 0xff);
  bytes.fill(0, 0, 28);
  bytes[0] = 0x45;
  bytes.writeUInt16BE(length, 2);
  bytes[9] = 17;
  bytes.writeUInt32BE(0x0a00_0001, 12);
  bytes.writeUInt32BE(0xc633_6407, 16);
  bytes.writeUInt16BE(4_000, 20);
  bytes.writeUInt16BE(5_000, 22);
  bytes.writeUInt32BE(number, length - 4);
  return bytes;
}

function give(from: End, bytes: Uint8Array): void {
  from.driver.handleLocal(bytes, 0, bytes.length);
}

beforeEach(() => {
  loop = new EventLoop();
  box = end('box');
  relay = end('relay');
  for (const [i, path] of paths.entries()) box.driver.setWay(path, box.sockets[i]!, endpointOf(relay.sockets[i]!));
});

afterEach(() => {
  box.driver.end();
  relay.driver.end();
  for (const fd of fds.splice(0)) {
    loop.remove(fd);
    closeFd(fd);
  }
  finish(loop);
});

test('packets go both ways, unchanged and in order; the relay learns where the box is', () => {
  for (let i = 0; i < 50; i++) give(box, packet(i));
  until(loop, () => relay.came.length === 50, 'packets at the relay');
  expect(relay.came.map((bytes, i) => bytes.equals(packet(i)))).toEqual(Array.from({ length: 50 }, () => true));
  for (let i = 100; i < 150; i++) give(relay, packet(i, 1_400));
  until(loop, () => box.came.length === 50, 'packets at the box');
  expect(box.came.map((bytes) => bytes.readUInt32BE(1_396))).toEqual(Array.from({ length: 50 }, (_, i) => 100 + i));
  expect(box.driver.counters).toEqual({ forged: 0, strayed: 0, unsent: 0 });
});

test('nothing of a packet can be read on the way', () => {
  const secretText = packet(7, 300);
  secretText.write('not for anybody else', 100);
  give(box, secretText);
  until(loop, () => relay.came.length === 1, 'the packet');
  for (const { bytes } of relay.datagrams) expect(bytes.includes('not for anybody else')).toBe(false);
});

test('what is replayed, changed, or sealed by another is dropped and answered by nothing', () => {
  until(loop, () => box.driver.carries, 'a path that answers');
  for (let i = 0; i < 20; i++) {
    give(box, packet(i));
    until(loop, () => relay.came.length === i + 1, 'a packet at the relay');
  }
  const seen = relay.datagrams.slice();
  const sent = box.datagrams.length;
  const before = relay.driver.counters.forged;
  for (const { fd, bytes, from } of seen) {
    expect(replay(relay, fd, bytes, from)).toBe(false);
    for (const at of [1, 3, 7, 15, 20, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(replay(relay, fd, changed, from)).toBe(false);
    }
  }
  expect(relay.driver.counters.forged).toBeGreaterThan(before + seen.length);
  expect(relay.came.length).toBe(20);
  expect(box.datagrams.length).toBe(sent);
});

test('the box may come from another address at any datagram, but a replayed one moves nothing', () => {
  give(box, packet(1));
  until(loop, () => relay.came.length === 1, 'a packet');
  const old = relay.datagrams.at(-1)!;
  for (const [i, path] of paths.entries()) {
    const fd = udp();
    listenTo(box, fd);
    loop.remove(box.sockets[i]!);
    box.driver.setWay(path, fd, endpointOf(relay.sockets[i]!));
  }
  for (let i = 2; i < 10; i++) give(box, packet(i));
  until(loop, () => relay.came.length === 9, 'packets from elsewhere');
  expect(replay(relay, old.fd, old.bytes, old.from)).toBe(false);
  give(relay, packet(99));
  until(loop, () => box.came.length === 1, 'an answer at the new address');
});

test('the status tells of each path, and of the whole', () => {
  const bare = { peer: 'home', streams: 0, counters: { chunksHedged: 1 } };
  const path = { state: 'up', rttMs: 1, minRttMs: 1, rateInBps: 0, rateOutBps: 0, estimateBps: 0 } as const;
  const more = { bytesIn: 0, bytesOut: 0, suspicions: 0, udp: 'open', strands: [] } as const;
  const status = { ...bare, paths: [1, 9].map((id) => Object.assign({ path: id }, path, more)) };
  expect(box.driver.completed(status).paths[0]?.packets?.state).toBe('asking');
  for (let i = 0; i < 50; i++) give(box, packet(i, 1_000));
  until(loop, () => relay.came.length === 50, 'packets at the relay');
  until(loop, () => box.driver.completed(status).paths[0]?.packets?.datagramBytesMax === 1_452, 'the largest is known');
  const { paths: told, packets, counters } = box.driver.completed(status);
  expect(told[0]?.packets).toMatchObject({ state: 'carries', lossRatio: 0 });
  expect(told[0]?.packets?.bytesOut.interactive).toBeGreaterThan(1_000);
  expect(told[0]?.packets?.rttMs).toBeGreaterThan(0);
  // A path that no datagram takes.
  expect(told[1]?.packets).toBeUndefined();
  expect(packets).toMatchObject({ held: 0, dropped: 0, waiting: { realtime: 0, interactive: 0, bulk: 0 } });
  expect(counters).toMatchObject({ chunksHedged: 1, datagramsForged: 0, packetsSplit: expect.any(Number) });
});

test('a new key loses nothing, and the old one opens until it is forgotten', () => {
  give(box, packet(1));
  until(loop, () => relay.came.length === 1, 'a packet under the first key');
  relay.driver.addKey(2, aead, other);
  give(box, packet(2));
  until(loop, () => relay.came.length === 2, 'one more under it');
  box.driver.addKey(2, aead, other);
  give(box, packet(3));
  give(relay, packet(4));
  until(loop, () => relay.came.length === 3 && box.came.length === 1, 'packets under the second');
  relay.driver.forget(session);
  expect(relay.driver.numbers).toEqual([2]);
  give(box, packet(5));
  until(loop, () => relay.came.length === 4, 'one more');
});
