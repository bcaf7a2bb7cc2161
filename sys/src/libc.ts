/** Functions of the C library that several files call; those of one file stand there. Addresses are numbers, see ffi.ts. */
import { native } from './ffi.ts';

export const ioctl: (fd: number, request: number, argument: number) => number = native(
  'int ioctl(int, size_t, uintptr_t)',
);
export const socket: (family: number, type: number, protocol: number) => number = native('int socket(int, int, int)');
export const bind: (fd: number, address: number, length: number) => number = native('int bind(int, uintptr_t, int)');
