/**
 * Who owns which descriptor. Node closes nothing of what a worker opened through C when that worker dies, so every worker keeps a bitmap in
 * shared memory of the descriptors that are its own: set when one is opened or accepted, cleared before it is closed or handed over. The main
 * thread closes what is still set when the worker is gone. On the main thread there is no bitmap and nothing is noted.
 */
import { EMFILE, ErrnoError } from './errno.ts';
import { native } from './ffi.ts';

/** Linux gives a process no number from here on (fs.nr_open's default), and so a bitmap takes 128 KiB. */
const numbersMax = 1 << 20;

const closeNumber: (fd: number) => number = native('int close(int)');

let mine: Int32Array<SharedArrayBuffer> | undefined;

/** Memory for one worker's bitmap. */
export function descriptorBitmap(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(numbersMax / 8));
}

/** From now on this thread notes its descriptors there. */
export function noteDescriptorsIn(bitmap: Int32Array<SharedArrayBuffer> | undefined): void {
  mine = bitmap;
}

/** This thread owns the descriptor and will close it. Returns it. Called for every descriptor opened in `sys`. */
export function ownFd(fd: number): number {
  if (!mine) return fd;
  if (fd >= numbersMax) {
    closeNumber(fd);
    throw new ErrnoError(`own the descriptor ${fd}`, EMFILE);
  }
  Atomics.or(mine, fd >>> 5, 1 << (fd & 31));
  return fd;
}

/** Notes a descriptor of the main thread as that worker's. Returns false when its number is beyond what a worker can own. */
export function giveFd(fd: number, bitmap: Int32Array<SharedArrayBuffer>): boolean {
  if (fd >= numbersMax) return false;
  Atomics.or(bitmap, fd >>> 5, 1 << (fd & 31));
  return true;
}

/** This thread no longer owns the descriptor: it is about to be closed, or to be handed over by message. */
export function disownFd(fd: number): void {
  if (mine && fd >= 0 && fd < numbersMax) Atomics.and(mine, fd >>> 5, ~(1 << (fd & 31)));
}

/** Closes a descriptor of this thread. Remove it from the loop first. Never throws; a second close of one number is a bug elsewhere. */
export function closeFd(fd: number): void {
  // In this order: once closed, the number may be another thread's, and a bitmap that still had it would have that one closed.
  disownFd(fd);
  closeNumber(fd);
}

/** Closes everything a bitmap holds, for the main thread after a worker died. Returns how many there were. */
export function closeDescriptorsOf(bitmap: Int32Array<SharedArrayBuffer>): number {
  let closed = 0;
  for (let word = 0; word < bitmap.length; word++) {
    for (let bits = Atomics.exchange(bitmap, word, 0); bits !== 0; bits &= bits - 1) {
      // The lowest bit that is set.
      closeNumber(word * 32 + 31 - Math.clz32(bits & -bits));
      closed++;
    }
  }
  return closed;
}
