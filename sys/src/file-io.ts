import { lastErrno, native } from './ffi.ts';

const readNumber: (fd: number, address: number, length: number) => number = native(
  'int64_t read(int, uintptr_t, size_t)',
);
const writeNumber: (fd: number, address: number, length: number) => number = native(
  'int64_t write(int, uintptr_t, size_t)',
);

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
