import type { Slab } from '@tresse/kit';

import { addressOf } from './ffi.ts';

/** A piece of zeroed memory the kernel may be given by address. Keep the slab referenced while the address is in use. */
export interface NativeSlab extends Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Makes `size` bytes (at least one) with an ArrayBuffer of their own, so that garbage collection never moves them. */
export function nativeSlab(size: number): NativeSlab {
  const bytes = new Uint8Array(new ArrayBuffer(Math.max(size, 1)));
  return { bytes, address: addressOf(bytes) };
}

/** A slab of a few 32-bit words for arguments and results of native calls. */
export interface WordSlab {
  readonly words: Uint32Array;
  readonly address: number;
}

/** Makes `count` zeroed 32-bit words the kernel may be given by address. */
export function wordSlab(count: number): WordSlab {
  const slab = nativeSlab(count * 4);
  return { words: new Uint32Array(slab.bytes.buffer), address: slab.address };
}

const encoder = new TextEncoder();

/** A zero-terminated UTF-8 string in memory of its own. */
export function nativeText(text: string): NativeSlab {
  const encoded = encoder.encode(text);
  const slab = nativeSlab(encoded.length + 1);
  slab.bytes.set(encoded);
  return slab;
}
