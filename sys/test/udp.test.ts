import { afterEach, expect, test } from 'vitest';

import {
  bindAddress,
  closeFd,
  copyEndpoint,
  EAGAIN,
  endpoint,
  joinReceived,
  receivedSegmentBytes,
  ErrnoError,
  nativeSlab,
  receiveFrom,
  sendTo,
  setReusePort,
  spreadByWord,
  tellLocalAddress,
  udpSocket,
} from '../src/index.ts';

const fds: number[] = [];
const room = nativeSlab(256);
const port = 20_000 + (process.pid % 10_000);

function socket(address: string, at: number, shared = false): number {
  const fd = udpSocket(address.includes(':') ? 6 : 4);
  fds.push(fd);
  if (shared) setReusePort(fd);
  tellLocalAddress(fd, address.includes(':') ? 6 : 4);
  bindAddress(fd, address, at);
  return fd;
}

function say(fd: number, bytes: readonly number[], to: ReturnType<typeof endpoint>): number {
  room.bytes.set(bytes);
  return sendTo(fd, room.address, bytes.length, to);
}

afterEach(() => {
  for (const fd of fds.splice(0)) closeFd(fd);
});

test.each([
  ['127.0.0.9', '0.0.0.0', '127.0.0.7'],
  ['127.0.0.9', '::', '127.0.0.7'],
  ['::1', '::', '::1'],
])('%s asks a host of several addresses, listening at %s, which answers from the one asked', (from, listen, asked) => {
  const host = socket(listen, port);
  const guest = socket(from, port + 1);
  expect(say(guest, [1, 2, 3], endpoint(asked, port))).toBe(3);
  const came = endpoint();
  expect(receiveFrom(host, room.address, 256, came)).toBe(3);
  expect([...room.bytes.subarray(0, 3)]).toEqual([1, 2, 3]);
  const kept = endpoint();
  copyEndpoint(came, kept);
  expect(say(host, [4], kept)).toBe(1);
  const answer = endpoint();
  expect(receiveFrom(guest, room.address, 256, answer)).toBe(1);
  // Its name is the address that was asked, as the kernel writes it.
  expect(answer.slab.bytes.subarray(0, answer.nameBytes)).toEqual(
    endpoint(asked, port).slab.bytes.subarray(0, answer.nameBytes),
  );
  expect(receiveFrom(guest, room.address, 256, answer)).toBe(-EAGAIN);
});

test('datagrams are spread over the sockets of a port by a word in them', () => {
  const sockets = Array.from({ length: 3 }, () => socket('127.0.0.1', port, true));
  spreadByWord(sockets[2] ?? -1, 4, 3);
  const guest = socket('127.0.0.1', port + 1);
  const to = endpoint('127.0.0.1', port);
  for (const word of [0, 1, 2, 3, 0xff_ff]) say(guest, [0, 0, 0, 0, 0, 0, word >> 8, word & 255], to);
  say(guest, [9], to);
  const came = sockets.map((fd) => {
    const lengths: number[] = [];
    for (let count = receiveFrom(fd, room.address, 256, endpoint()); count >= 0;) {
      lengths.push(count);
      count = receiveFrom(fd, room.address, 256, endpoint());
    }
    return lengths;
  });
  // 65,535 is a multiple of three.
  expect(came).toEqual([[8, 8, 8, 1], [8], [8]]);
});

test.each(['127.0.0.9', '::1'])('%s: several datagrams in one call, received together or one by one', (address) => {
  const host = socket(address, port);
  const guest = socket(address, port + 1);
  const to = endpoint(address, port);
  for (let i = 0; i < 250; i++) room.bytes[i] = i;
  // Four of 60 and one of 10.
  expect(sendTo(guest, room.address, 250, to, 60)).toBe(250);
  const from = endpoint();
  for (const length of [60, 60, 60, 60, 10]) {
    expect(receiveFrom(host, room.address, 256, from)).toBe(length);
    expect(receivedSegmentBytes()).toBe(0);
  }
  expect(receiveFrom(host, room.address, 256, from)).toBe(-EAGAIN);

  expect(joinReceived(host)).toBe(true);
  for (let i = 0; i < 250; i++) room.bytes[i] = 250 - i;
  expect(sendTo(guest, room.address, 250, to, 60)).toBe(250);
  room.bytes.fill(0);
  expect(receiveFrom(host, room.address, 256, from)).toBe(250);
  expect(receivedSegmentBytes()).toBe(60);
  expect([...room.bytes.subarray(0, 3), room.bytes[249]]).toEqual([250, 249, 248, 1]);
  // Its endpoint leads back, and has nothing of the segments.
  expect(say(host, [7], from)).toBe(1);
  expect(receiveFrom(guest, room.address, 256, endpoint())).toBe(1);
  expect(receivedSegmentBytes()).toBe(0);
});

test('a port in use is refused', () => {
  socket('127.0.0.1', port);
  expect(() => socket('127.0.0.1', port)).toThrow(ErrnoError);
});
