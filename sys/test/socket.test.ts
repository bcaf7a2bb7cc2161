import { UserError } from '@tresse/kit';
import { describe, expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { EAGAIN, ECONNREFUSED, ECONNRESET, ENOTCONN, EPIPE, ErrnoError } from '../src/errno.ts';
import { nativeSlab } from '../src/slab.ts';
import { setReuseAddress } from '../src/socket-options.ts';
import {
  accept,
  bindAddress,
  closeWithReset,
  connectOutcome,
  connectStart,
  listen,
  localName,
  PEEK_END,
  peekByte,
  peekInto,
  peerName,
  sendFrom,
  shutdownWrite,
  tcpSocket,
} from '../src/socket.ts';
import { connected, eventually, hear, listening, say } from './connection.ts';

describe.each([4, 6] as const)('TCP over IPv%s loopback', (family) => {
  test('both ends know each other', async () => {
    const { near, far, close } = await connected(family);
    expect(peerName(near)).toEqual(localName(far));
    expect(peerName(far)).toEqual(localName(near));
    expect(peerName(near).address).toBe(family === 4 ? '127.0.0.1' : '::1');
    close();
  });

  test('bytes, half-close and end', async () => {
    const { near, far, close } = await connected(family);
    expect(peekByte(far)).toBe(-EAGAIN);
    expect(say(near, 'hello')).toBe(5);
    expect(shutdownWrite(near)).toBe(0);
    expect(await hear(far)).toBe('hello');
    expect(await hear(far)).toBe('');
    expect(say(far, 'still here')).toBe(10);
    expect(await hear(near)).toBe('still here');
    close();
  });
});

test('peeking leaves the bytes', async () => {
  const { near, far, close } = await connected();
  expect(peekByte(far)).toBe(-EAGAIN);
  say(near, '\u0016x');
  expect(await eventually(() => peekByte(far))).toBe(0x16);
  const slab = nativeSlab(4);
  expect(peekInto(far, slab.address, 4)).toBe(2);
  expect(await hear(far)).toBe('\u0016x');
  shutdownWrite(near);
  expect(await eventually(() => peekByte(far))).toBe(PEEK_END);
  close();
});

test('a close with reset is a reset to the peer, also after data', async () => {
  const { near, far } = await connected();
  say(near, 'lost');
  closeWithReset(near);
  expect(await hear(far)).toBe('lost');
  expect(await hear(far)).toBe(-ECONNRESET);
  closeFd(far);
});

test('sending to one who is gone returns an error and raises no signal', async () => {
  const { near, far } = await connected();
  closeWithReset(far);
  expect(await eventually(() => peekByte(near))).toBe(-ECONNRESET);
  expect(say(near, 'x')).toBe(-EPIPE);
  expect(shutdownWrite(near)).toBe(-ENOTCONN);
  closeFd(near);
});

test('a full socket says "not now"', async () => {
  const { near, close } = await connected();
  const slab = nativeSlab(65_536);
  let result = 0;
  while (result >= 0) result = sendFrom(near, slab.address, slab.bytes.length);
  expect(result).toBe(-EAGAIN);
  close();
});

test('nobody listening is an outcome, not an exception', async () => {
  const { fd, address, port } = listening();
  closeFd(fd);
  const client = tcpSocket(4);
  connectStart(client, address, port);
  expect(await eventually(() => connectOutcome(client) || peekByte(client))).toBe(ECONNREFUSED);
  closeFd(client);
});

test('a listener without a visitor, and a taken port', () => {
  const { fd, port } = listening();
  expect(accept(fd)).toBe(-EAGAIN);
  const second = tcpSocket(4);
  setReuseAddress(second);
  expect(() => {
    bindAddress(second, '127.0.0.1', port);
    listen(second, 1);
  }).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
  closeFd(second);
  closeFd(fd);
});

test('an address of somebody else cannot be bound, and the sentence names it', () => {
  const fd = tcpSocket(4);
  expect(() => bindAddress(fd, '203.0.113.77', 0)).toThrow(
    'bind to 203.0.113.77:0: address not available (EADDRNOTAVAIL)',
  );
  expect(() => bindAddress(fd, 'nonsense', 0)).toThrow(UserError);
  expect(() => peerName(fd)).toThrow(ErrnoError);
  closeFd(fd);
});
