import { lastErrno } from './ffi.ts';
import { ioctl } from './libc.ts';
import { wordSlab } from './slab.ts';

const SIOCOUTQ = 0x5411;
const SIOCOUTQNSD = 0x894b;
const SIOCINQ = 0x541b;

const answer = wordSlab(1);

/** Bytes given to the kernel but not sent yet, or -errno. */
export function unsentBytes(fd: number): number {
  return queueBytes(fd, SIOCOUTQNSD);
}

/** Bytes given to the kernel and not acknowledged by the peer's kernel, unsent ones included, or -errno. */
export function unackedBytes(fd: number): number {
  return queueBytes(fd, SIOCOUTQ);
}

/** Bytes received by the kernel and not read yet, or -errno. */
export function unreadBytes(fd: number): number {
  return queueBytes(fd, SIOCINQ);
}

function queueBytes(fd: number, request: number): number {
  return ioctl(fd, request, answer.address) < 0 ? -lastErrno() : (answer.words[0] ?? 0);
}
