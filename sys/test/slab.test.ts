import { expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { EAGAIN, EBADF } from '../src/errno.ts';
import { readInto, writeFrom } from '../src/file-io.ts';
import { nativeSlab } from '../src/slab.ts';
import { clearWake, openWake, wake } from '../src/wake.ts';

test('slabs lie apart, are zeroed, and have an address that stays the same', () => {
  const slabs = Array.from({ length: 100 }, () => nativeSlab(2048));
  const addresses = slabs.map((s) => s.address);
  expect(new Set(addresses).size).toBe(100);
  expect(slabs.every((s) => s.bytes.every((b) => b === 0))).toBe(true);
  expect(addresses.every((a) => Number.isSafeInteger(a) && a > 0)).toBe(true);
});

test('the kernel writes where JavaScript reads', () => {
  const fd = openWake();
  const slab = nativeSlab(24);
  expect(readInto(fd, slab.address, 8)).toBe(-EAGAIN);
  slab.bytes[8] = 5;
  expect(writeFrom(fd, slab.address + 8, 8)).toBe(8);
  wake(fd);
  expect(readInto(fd, slab.address + 16, 8)).toBe(8);
  expect([...slab.bytes.subarray(16)]).toEqual([6, 0, 0, 0, 0, 0, 0, 0]);
  wake(fd);
  clearWake(fd);
  expect(readInto(fd, slab.address, 8)).toBe(-EAGAIN);
  closeFd(fd);
  expect(readInto(fd, slab.address, 8)).toBe(-EBADF);
});
