import { ownFd } from './descriptors.ts';
import { checked } from './errno.ts';
import { native } from './ffi.ts';
import { readInto, writeFrom } from './file-io.ts';
import { wordSlab } from './slab.ts';

const EFD_NONBLOCK_CLOEXEC = 0x80800;

const eventfd: (start: number, flags: number) => number = native('int eventfd(uint32_t, int)');

const one = wordSlab(2);
one.words[0] = 1;
const drained = wordSlab(2);

/** A descriptor by which any thread of the process makes another's `epoll` return. Throws ErrnoError (EMFILE). */
export function openWake(): number {
  return ownFd(checked(eventfd(0, EFD_NONBLOCK_CLOEXEC), 'eventfd'));
}

/** Makes the descriptor readable. Any thread may call it. */
export function wake(fd: number): void {
  writeFrom(fd, one.address, 8);
}

/** Makes the descriptor unreadable until the next {@link wake}. Only its reader calls it. */
export function clearWake(fd: number): void {
  readInto(fd, drained.address, 8);
}
