/** Trains of datagrams over real UDP sockets on loopback. */
import { closeFd, endpoint, nativeSlab, receiveFrom, sendTo, setReceiveBuffer } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { DatagramTrains, type Way } from '../src/worker/datagram-trains.ts';
import { boundUdp, endpointOf } from './peer.ts';

const room = nativeSlab(70_000);
const fds: number[] = [];
const EIO = 5;
let trains: DatagramTrains;

function udp(): number {
  const fd = boundUdp();
  fds.push(fd);
  setReceiveBuffer(fd, 4_194_304);
  return fd;
}

function wayTo(fd: number): Way {
  return { fd: udp(), to: endpointOf(fd), single: false };
}

/** Writes a datagram of one repeated byte as the lane does, its body behind a header of 16, and finishes it where it then stands. */
function add(way: Way, byte: number, length: number): void {
  trains.landing.bytes.fill(byte, trains.landingAt + 16, trains.landingAt + length - 16);
  const start = trains.add(way, length, 16, length - 32);
  trains.landing.bytes.fill(byte, start, start + 16).fill(byte, start + length - 16, start + length);
}

/** What came: the byte and the length of each; one that is not of one byte is an error. */
function received(fd: number): string[] {
  const came: string[] = [];
  for (;;) {
    const count = receiveFrom(fd, room.address, room.bytes.length, endpoint());
    if (count < 0) return came;
    const bytes = room.bytes.subarray(0, count);
    came.push(bytes.every((byte) => byte === bytes[0]) ? `${bytes[0]}:${count}` : `mixed:${count}`);
  }
}

beforeEach(() => {
  trains = new DatagramTrains();
});

afterEach(() => {
  for (const fd of fds.splice(0)) closeFd(fd);
});

test('each arrives as it is, in order, whatever the sizes; nothing waits behind a flush', () => {
  const host = udp();
  const way = wayTo(host);
  const sizes = [100, 100, 100, 60, 60, 100, 1_452, 1_452, 1_452, 40, 41, 100];
  for (const [i, size] of sizes.entries()) add(way, i + 1, size);
  expect(trains.flush()).toBe(0);
  expect(received(host)).toEqual(sizes.map((size, i) => `${i + 1}:${size}`));
  expect(trains.flush()).toBe(0);
  expect(received(host)).toEqual([]);
});

test.each([
  ['of the largest kind', 1_452, 200],
  ['small', 64, 200],
])('more than one train holds, %s', (_, size, count) => {
  const host = udp();
  const way = wayTo(host);
  for (let i = 0; i < count; i++) add(way, i, size);
  trains.flush();
  expect(received(host)).toEqual(Array.from({ length: count }, (_one, i) => `${i}:${size}`));
});

test('more ways than trains, by turns: each gets its own', () => {
  const hosts = Array.from({ length: 6 }, () => udp());
  const ways = hosts.map((host) => wayTo(host));
  for (let i = 0; i < 20; i++) for (const [j, way] of ways.entries()) add(way, 10 * j + (i % 10), 100 + (i % 3));
  expect(trains.flush()).toBe(0);
  for (const [j, host] of hosts.entries()) {
    expect(received(host)).toEqual(Array.from({ length: 20 }, (_, i) => `${10 * j + (i % 10)}:${100 + (i % 3)}`));
  }
});

test('what is too long for the way is lost by itself, and trains go on', () => {
  const host = udp();
  const way = wayTo(host);
  const nowhere: Way = { fd: udp(), to: endpoint('255.255.255.255', 9), single: false };
  add(way, 1, 100);
  add(nowhere, 2, 100);
  add(nowhere, 3, 100);
  add(way, 4, 100);
  // No broadcast without leave: not even one of them is taken, which says nothing about trains.
  expect(trains.flush()).toBe(2);
  expect(nowhere.single).toBe(false);
  expect(trains.takeRefusal()).toBe(false);
  expect(received(host)).toEqual(['1:100', '4:100']);
});

test('where the kernel refuses trains they go one by one, and it is told once', () => {
  const host = udp();
  const way = wayTo(host);
  // As on a card that adds no checksums.
  trains = new DatagramTrains((fd, address, length, to, segment = 0) =>
    segment > 0 ? -EIO : sendTo(fd, address, length, to),
  );
  for (let i = 1; i <= 5; i++) add(way, i, 90);
  expect(trains.flush()).toBe(0);
  expect(received(host)).toEqual(['1:90', '2:90', '3:90', '4:90', '5:90']);
  expect(way.single).toBe(true);
  expect([trains.takeRefusal(), trains.takeRefusal()]).toEqual([true, false]);
  for (let i = 1; i <= 3; i++) add(way, i, 90);
  expect(trains.flush()).toBe(0);
  expect(received(host)).toEqual(['1:90', '2:90', '3:90']);
});
