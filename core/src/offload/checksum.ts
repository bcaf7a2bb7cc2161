/** Checksums of IP, TCP and UDP (RFC 1071), where the sums are somebody else's. */
import { readU16 } from '../wire/wire.ts';

/** Memory with a quick sum of its 16-bit words, in ones' complement: 0 to 65,535. */
export interface SummedBytes {
  readonly bytes: Uint8Array;
  readonly sum: (start: number, length: number) => number;
}

/** Brings a sum of a few sums back to 16 bits. */
export function folded(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The sum of a few words: for headers in memory that has no quick one. `length` is even. */
export function wordSum(bytes: Uint8Array, start: number, length: number): number {
  let sum = 0;
  for (let at = start; at < start + length; at += 2) sum += readU16(bytes, at);
  return sum;
}
