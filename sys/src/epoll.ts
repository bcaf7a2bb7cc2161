import { ownFd } from './descriptors.ts';
import { checked, EINTR, ENOSYS } from './errno.ts';
import { isX64, lastErrno, native, nativeIfPresent } from './ffi.ts';
import { wordSlab } from './slab.ts';

/** Bytes to read, a connection to accept, or the end of the stream. */
export const READABLE = 0x1;
/** Room to send, or an outcome of a connection begun. */
export const WRITABLE = 0x4;
/** An error is pending; always reported, never asked for. */
export const FAILED = 0x8;
/** Both directions are closed; always reported, never asked for. */
export const HANGUP = 0x10;
/** The peer will send no more. */
export const READ_HANGUP = 0x2000;
/** Report changes, not states. */
export const EDGE = 0x8000_0000;

const EPOLL_CLOEXEC = 0x80000;
const ADD = 1;
const REMOVE = 2;
const MODIFY = 3;
/** Events taken at once: bounds the work of one turn of the loop. */
const batchMax = 256;

const epollCreate: (flags: number) => number = native('int epoll_create1(int)');
const epollCtl: (epfd: number, op: number, fd: number, event: number) => number = native(
  'int epoll_ctl(int, int, int, uintptr_t)',
);
const epollWait: (epfd: number, events: number, max: number, timeoutMs: number) => number = native(
  'int epoll_wait(int, uintptr_t, int, int)',
);
const epollWaitNs:
  | ((epfd: number, events: number, max: number, timeout: number, mask: number, maskSize: number) => number)
  | undefined = nativeIfPresent('int epoll_pwait2(int, uintptr_t, int, uintptr_t, uintptr_t, size_t)');

/** struct epoll_event in 32-bit words: `events, data` packed on x86-64; `events, padding, data` elsewhere. */
const eventWords = isX64 ? 3 : 4;
const dataWord = isX64 ? 1 : 2;

/**
 * An epoll instance whose events carry the descriptor and a generation of the caller's choice, so that an event of a
 * descriptor closed and reused within one batch can be told from one of its successor. Allocates nothing per wait.
 */
export class Epoll {
  readonly #events = wordSlab(batchMax * eventWords);
  readonly #event = wordSlab(eventWords);
  /** struct timespec: two 64-bit numbers, whose upper halves stay zero. */
  readonly #timeout = wordSlab(4);
  readonly #maskSize = 8;
  #preciseWait = epollWaitNs;
  readonly #fd: number;

  /** Throws ErrnoError (EMFILE). */
  constructor() {
    this.#fd = ownFd(checked(epollCreate(EPOLL_CLOEXEC), 'epoll_create'));
  }

  /** Throws ErrnoError, for example when the descriptor is already there (EEXIST) or a plain file (EPERM). */
  add(fd: number, events: number, generation: number): void {
    checked(this.#control(ADD, fd, events, generation), `watch descriptor ${fd}`);
  }

  /** Throws ErrnoError, for example when the descriptor is not there (ENOENT). */
  modify(fd: number, events: number, generation: number): void {
    checked(this.#control(MODIFY, fd, events, generation), `watch descriptor ${fd}`);
  }

  /** Forgets a descriptor; nothing happens when it is not there or closed. */
  remove(fd: number): void {
    this.#control(REMOVE, fd, 0, 0);
  }

  /** Waits for events, at most `timeoutMs` (rounded up to whole milliseconds on kernels before 5.11). Returns how many there are; 0 also when a signal came. */
  wait(timeoutMs: number): number {
    const { words, address } = this.#timeout;
    if (this.#preciseWait) {
      const seconds = Math.floor(timeoutMs / 1000);
      words[0] = seconds;
      words[2] = Math.ceil((timeoutMs - seconds * 1000) * 1e6);
      if (words[2] > 999_999_999) words[2] = 999_999_999;
      const count = this.#preciseWait(this.#fd, this.#events.address, batchMax, address, 0, this.#maskSize);
      if (count >= 0) return count;
      const errno = lastErrno();
      if (errno === EINTR) return 0;
      // The C library is newer than the kernel.
      if (errno === ENOSYS) this.#preciseWait = undefined;
      else checked(count, 'epoll_wait');
    }
    const count = epollWait(this.#fd, this.#events.address, batchMax, Math.ceil(timeoutMs));
    if (count < 0 && lastErrno() === EINTR) return 0;
    return checked(count, 'epoll_wait');
  }

  /** Event bits of the i-th event of the last wait. */
  eventsOf(i: number): number {
    return this.#events.words[i * eventWords] ?? 0;
  }

  /** Descriptor of the i-th event of the last wait. */
  fdOf(i: number): number {
    return this.#events.words[i * eventWords + dataWord] ?? 0;
  }

  /** Generation of the i-th event of the last wait. */
  generationOf(i: number): number {
    return this.#events.words[i * eventWords + dataWord + 1] ?? 0;
  }

  get fd(): number {
    return this.#fd;
  }

  #control(op: number, fd: number, events: number, generation: number): number {
    const { words, address } = this.#event;
    words[0] = events;
    words[dataWord] = fd;
    words[dataWord + 1] = generation;
    return epollCtl(this.#fd, op, fd, address);
  }
}
