/** setsockopt(2) and getsockopt(2); a negative result has its reason in errno. */
import { checked } from './errno.ts';
import { native } from './ffi.ts';
import { wordSlab } from './slab.ts';

export const SOL_IP = 0;
export const SOL_IPV6 = 41;

/** Sets from `length` bytes at an address. */
export const setSocketOption: (fd: number, level: number, option: number, value: number, length: number) => number =
  native('int setsockopt(int, int, int, uintptr_t, int)');
/** Reads into an address; `length` is the address of its size, which is set to what was written. */
export const getSocketOption: (fd: number, level: number, option: number, value: number, length: number) => number =
  native('int getsockopt(int, int, int, uintptr_t, uintptr_t)');

const number = wordSlab(1);

/** Sets an option of 32 bits. Throws ErrnoError; `action` says there what was tried. */
export function setNumber(fd: number, level: number, option: number, value: number, action: string): void {
  number.words[0] = value;
  checked(setSocketOption(fd, level, option, number.address, 4), action);
}
