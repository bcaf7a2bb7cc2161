import { afterEach, beforeEach, expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { nativeSlab } from '../src/slab.ts';
import { optionInto, setMark, setReceiveBuffer, setTransparent } from '../src/socket-options.ts';
import { tcpSocket } from '../src/socket.ts';

const slab = nativeSlab(8);
const word = new Uint32Array(slab.bytes.buffer);
let fd = -1;
beforeEach(() => {
  fd = tcpSocket(6);
});
afterEach(() => closeFd(fd));

function option(level: number, number: number): number {
  expect(optionInto(fd, level, number, slab.address, 4)).toBe(4);
  return word[0]!;
}

test('a mark with its highest bit', () => {
  setMark(fd, 0x8052_0001);
  expect(option(1, 36)).toBe(0x8052_0001);
});

test('transparent, both families', () => {
  setTransparent(fd, 6);
  expect(option(41, 75)).toBe(1);
  closeFd(fd);
  fd = tcpSocket(4);
  setTransparent(fd, 4);
  expect(option(0, 19)).toBe(1);
});

test('root may have buffers beyond the limit of the system', () => {
  setReceiveBuffer(fd, 64 * 1024 * 1024);
  expect(option(1, 8)).toBe(128 * 1024 * 1024);
});
