/**
 * The door to C: the only file that knows koffi. Native functions are declared here once per thread and called with plain numbers:
 * a pointer into memory of ours is declared `uintptr_t` and passed as the number {@link addressOf} gave once per buffer, so that a
 * call makes no object, no view and no BigInt (koffi answers 64-bit results as numbers below 2^53).
 *
 * Everything below `sys` that lays out structures does so for 64-bit little-endian Linux (x86-64, arm64), so anything else is refused at import.
 */
import { endianness } from 'node:os';
import { arch, platform } from 'node:process';

import { SystemError } from '@tresse/kit';
import koffi from 'koffi';

if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64') || endianness() !== 'LE') {
  throw new SystemError(
    'PLATFORM_UNSUPPORTED',
    `Tresse runs on 64-bit Linux on x86-64 or arm64 processors; this is ${platform} on ${arch}.`,
  );
}

/** x86-64 packs some kernel structures that arm64 aligns. */
export const isX64: boolean = arch === 'x64';

/** All our native functions take and return numbers; the constant that holds one is annotated with the real parameters. */
export type NativeFunction = (...args: number[]) => number;

const library = koffi.load(null);

/**
 * The native function of a C declaration such as `int close(int)`, from the C library or from the Node binary (OpenSSL).
 * Throws SystemError `SYMBOL_MISSING` where there is none of that name.
 */
export function native(declaration: string): NativeFunction {
  const found = nativeIfPresent(declaration);
  if (!found) throw new SystemError('SYMBOL_MISSING', `this system's libraries lack the function: ${declaration}`);
  return found;
}

/** Like {@link native}, but undefined where there is no such function. */
export function nativeIfPresent(declaration: string): NativeFunction | undefined {
  try {
    return library.func(declaration);
  } catch {
    return undefined;
  }
}

/**
 * The address of a buffer's first byte. The buffer must have an ArrayBuffer made by `new ArrayBuffer` (small typed arrays made by length
 * live in the garbage collector's heap and move) and must stay referenced as long as the address is used.
 */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): number {
  return Number(koffi.address(bytes));
}

/** The number the last failing native call of this thread left, for example 11 (EAGAIN). Read it at once. */
export const lastErrno: () => number = koffi.errno;
