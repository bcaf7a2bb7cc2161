import type { Prng } from './prng.ts';

/** Octets at which decoders err: ends of ranges, signs, the bits of flags. */
const sharp: readonly number[] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/**
 * A copy of an input with one to four faults in it, drawn from the generator: bits flipped, octets at their extremes, a part
 * cut out, doubled, moved, or the end cut off or grown. For tests of decoders; the same seed gives the same faults.
 */
export function mutated(prng: Prng, input: Uint8Array): Uint8Array {
  let bytes = Uint8Array.from(input);
  for (let faults = prng.int(1, 4); faults > 0; faults--) bytes = faulty(prng, bytes);
  return bytes;
}

function faulty(prng: Prng, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = prng.int(0, Math.max(0, bytes.length - 1));
  const length = Math.min(bytes.length - at, Math.floor(prng.logUniform(1, 65)));
  switch (prng.int(0, 6)) {
    case 0:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 1:
      return joined(bytes.subarray(0, at + length), bytes.subarray(at, at + length), bytes.subarray(at + length));
    case 2:
      return joined(bytes.subarray(0, at));
    case 3:
      return joined(
        bytes,
        Uint8Array.from({ length: prng.int(1, 32) }, () => prng.u32() & 0xff),
      );
    case 4:
      bytes.copyWithin(prng.int(0, bytes.length), at, at + length);
      return bytes;
    case 5:
      if (bytes.length > 0) bytes.fill(sharp[prng.int(0, sharp.length - 1)] ?? 0, at, at + prng.int(1, 8));
      return bytes;
    default:
      if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.int(0, 7));
      return bytes;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
