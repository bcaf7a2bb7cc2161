import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { EBADF, ErrnoError } from '../src/errno.ts';
import { nativeSlab } from '../src/slab.ts';
import {
  bindDevice,
  congestionControl,
  optionInto,
  setCongestionControl,
  setKeepAlive,
  setLingerReset,
  setMaxPacingRate,
  setNoDelay,
  setNotSentLowat,
  freeReceiveBuffer,
  setReceiveBuffer,
  setReuseAddress,
  setSendBuffer,
  setUserTimeout,
  setV6Only,
  socketError,
} from '../src/socket-options.ts';
import { queueMemory, unackedBytes, unreadBytes, unsentBytes } from '../src/socket-queues.ts';
import { peekByte, sendFrom, tcpSocket } from '../src/socket.ts';
import { connected, eventually, hear, say } from './connection.ts';

const slab = nativeSlab(8);
const words = new Uint32Array(slab.bytes.buffer);

function option(fd: number, level: number, number: number): number {
  expect(optionInto(fd, level, number, slab.address, 8)).toBeGreaterThan(0);
  return words[0]!;
}

describe('options arrive in the kernel', () => {
  let fd = -1;
  beforeAll(() => {
    fd = tcpSocket(6);
  });
  afterAll(() => closeFd(fd));

  test.each([
    ['no delay', () => setNoDelay(fd), 6, 1, 1],
    ['reuse address', () => setReuseAddress(fd), 1, 2, 1],
    ['v6 only', () => setV6Only(fd, true), 41, 26, 1],
    ['unsent low water', () => setNotSentLowat(fd, 131_072), 6, 25, 131_072],
    ['user timeout', () => setUserTimeout(fd, 12_345), 6, 18, 12_345],
    ['keep alive', () => setKeepAlive(fd, 45, 10, 3), 6, 4, 45],
    ['keep alive interval', () => {}, 6, 5, 10],
    ['keep alive count', () => {}, 6, 6, 3],
    ['send buffer (doubled)', () => setSendBuffer(fd, 50_000), 1, 7, 100_000],
    ['receive buffer (doubled)', () => setReceiveBuffer(fd, 50_000), 1, 8, 100_000],
    ['pacing', () => setMaxPacingRate(fd, 1_250_000), 1, 47, 1_250_000],
    ['linger', () => setLingerReset(fd, true), 1, 13, 1],
    ['no linger', () => setLingerReset(fd, false), 1, 13, 0],
  ] as const)('%s', (_, set, level, number, value) => {
    set();
    expect(option(fd, level, number)).toBe(value);
  });

  test("a bounded receive buffer is the kernel's again", () => {
    setReceiveBuffer(fd, 8_192);
    option(fd, 1, 72);
    expect(words[0]! & 2).toBe(2);
    freeReceiveBuffer(fd);
    option(fd, 1, 72);
    expect(words[0]! & 2).toBe(0);
  });

  test('pacing above 32 bits and without limit', () => {
    setMaxPacingRate(fd, 5e9);
    option(fd, 1, 47);
    expect(words[0]! + words[1]! * 2 ** 32).toBe(5e9);
    setMaxPacingRate(fd, Infinity);
    option(fd, 1, 47);
    expect([...words]).toEqual([0xffff_ffff, 0xffff_ffff]);
  });

  test('congestion control: refused by return value', () => {
    expect(setCongestionControl(fd, 'reno')).toBe(true);
    expect(congestionControl(fd)).toBe('reno');
    expect(setCongestionControl(fd, 'nosuchthing')).toBe(false);
    expect(congestionControl(fd)).toBe('reno');
  });

  test('an interface that is not there', () => {
    expect(() => bindDevice(fd, 'tsynosuch')).toThrow(ErrnoError);
    expect(() => bindDevice(fd, 'a name far too long')).toThrow(expect.objectContaining({ code: 'INTERFACE_NAME' }));
    bindDevice(fd, 'lo');
  });

  test('no error pending', () => {
    expect(socketError(fd)).toBe(0);
    expect(() => socketError(-1)).toThrow(expect.objectContaining({ errno: EBADF }));
    expect(optionInto(-1, 1, 4, slab.address, 4)).toBe(-EBADF);
  });
});

test('queue sizes', async () => {
  const { near, far, close } = await connected();
  expect([unsentBytes(near), unackedBytes(near), unreadBytes(far)]).toEqual([0, 0, 0]);
  say(near, '0123456789');
  await eventually(() => peekByte(far));
  expect(unreadBytes(far)).toBe(10);
  await hear(far);
  expect(unreadBytes(far)).toBe(0);
  const big = nativeSlab(65_536);
  while (sendFrom(near, big.address, 65_536) > 0);
  expect(unsentBytes(near)).toBeGreaterThan(0);
  expect(unackedBytes(near)).toBeGreaterThanOrEqual(unsentBytes(near));
  // The kernel keeps books on what stands there.
  expect(queueMemory(near)).toBeGreaterThan(unackedBytes(near));
  expect(queueMemory(far)).toBeGreaterThan(unreadBytes(far));
  close();
  expect([unsentBytes(-1), queueMemory(-1)]).toEqual([-EBADF, -EBADF]);
});
