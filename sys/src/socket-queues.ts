import { lastErrno } from './ffi.ts';
import { ioctl } from './libc.ts';
import { wordSlab } from './slab.ts';
import { optionInto } from './socket-options.ts';

const SIOCOUTQ = 0x5411;
const SIOCOUTQNSD = 0x894b;
const SIOCINQ = 0x541b;

const SOL_SOCKET = 1;
const SO_MEMINFO = 55;
/** Words of SO_MEMINFO (linux/sock_diag.h): up to and with `SK_MEMINFO_BACKLOG`, and the two that hold a queue each. */
const memoryWords = 8;
const receiveWord = 0;
const sendWord = 5;

const answer = wordSlab(1);
const memory = wordSlab(memoryWords);

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

/**
 * Memory the kernel holds for what stands in a connection's two queues, its own bookkeeping included (truesize); bytes, or
 * -errno.
 */
export function queueMemory(fd: number): number {
  const bytes = optionInto(fd, SOL_SOCKET, SO_MEMINFO, memory.address, memoryWords * 4);
  return bytes < 0 ? bytes : (memory.words[receiveWord] ?? 0) + (memory.words[sendWord] ?? 0);
}

function queueBytes(fd: number, request: number): number {
  return ioctl(fd, request, answer.address) < 0 ? -lastErrno() : (answer.words[0] ?? 0);
}
