import { lastErrno, native } from './ffi.ts';
import { wordSlab } from './slab.ts';

const readNumber: (fd: number, address: number, length: number) => number = native(
  'int64_t read(int, uintptr_t, size_t)',
);
const writeNumber: (fd: number, address: number, length: number) => number = native(
  'int64_t write(int, uintptr_t, size_t)',
);

const writeParts: (fd: number, parts: number, count: number) => number = native('int64_t writev(int, uintptr_t, int)');

/** Two of struct iovec: address 8, length 8. */
const parts = wordSlab(8);
const wordBase = 0x1_0000_0000;

/** Reads up to `length` bytes to memory at `address` (a TUN device: one packet). Returns the bytes read (0: end), or -errno. Allocates nothing. */
export function readInto(fd: number, address: number, length: number): number {
  const count = readNumber(fd, address, length);
  return count >= 0 ? count : -lastErrno();
}

/** Writes `length` bytes of memory at `address` (a TUN device: one packet). Returns the bytes written, or -errno. Allocates nothing. */
export function writeFrom(fd: number, address: number, length: number): number {
  const count = writeNumber(fd, address, length);
  return count >= 0 ? count : -lastErrno();
}

/** Like {@link writeFrom}, of two pieces of memory, one behind the other. */
export function writeTwo(fd: number, first: number, firstLength: number, second: number, secondLength: number): number {
  const { words } = parts;
  words[0] = first >>> 0;
  words[1] = Math.floor(first / wordBase);
  words[2] = firstLength;
  words[4] = second >>> 0;
  words[5] = Math.floor(second / wordBase);
  words[6] = secondLength;
  const count = writeParts(fd, parts.address, 2);
  return count >= 0 ? count : -lastErrno();
}
