import { getSystemErrorMap } from 'node:util';

import { SystemError } from '@tresse/kit';

import { lastErrno } from './ffi.ts';

/** Error numbers the engine decides by; the same on x86-64 and arm64 (asm-generic/errno.h). */
export const EINTR = 4;
export const EBADF = 9;
export const EAGAIN = 11;
export const EACCES = 13;
export const EMFILE = 24;
export const EPIPE = 32;
export const ENOSYS = 38;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETUNREACH = 101;
export const ECONNRESET = 104;
export const ENOTCONN = 107;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTUNREACH = 113;
export const EINPROGRESS = 115;

const known = getSystemErrorMap();

/** The name of an error number, positive or negative: `ECONNREFUSED` of 111 and of -111; `E1234` when unknown. */
export function errnoName(errno: number): string {
  return known.get(-Math.abs(errno))?.[0] ?? `E${Math.abs(errno)}`;
}

/** The operating system refused a call; `code` is the errno's name and the sentence says what was tried on what. */
export class ErrnoError extends SystemError {
  readonly errno: number;

  /** `action` is the call and its object, for example `connect 203.0.113.1:7443`; `errno` positive. */
  constructor(action: string, errno: number) {
    const code = errnoName(errno);
    super(code, `${action}: ${known.get(-errno)?.[1] ?? 'refused by the system'} (${code})`);
    this.name = 'ErrnoError';
    this.errno = errno;
  }
}

/** Hands on the result of a native call; throws {@link ErrnoError} when it is negative. */
export function checked(result: number, action: string): number {
  if (result < 0) throw new ErrnoError(action, lastErrno());
  return result;
}
