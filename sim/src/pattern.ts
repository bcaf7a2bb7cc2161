import { Prng } from '@tresse/kit';

/** A prime: no chunk size and no power of two is a multiple of it, so that a displaced piece never looks right. */
const period = 65_521;

/** What a stream carries: known bytes for every offset, so that the other end can tell what is missing, twice or displaced. */
export class Pattern {
  readonly #table: Uint8Array;
  readonly #shift: number;

  constructor(table: Uint8Array, key: number) {
    this.#table = table;
    this.#shift = key % period;
  }

  /** The table that all patterns of a world share. */
  static table(seed: number): Uint8Array {
    const prng = new Prng(seed);
    return Uint8Array.from({ length: period }, () => prng.u32() & 0xff);
  }

  /** Writes the bytes of [offset, offset + length) at `start`. */
  write(target: Uint8Array, start: number, offset: number, length: number): void {
    let done = 0;
    while (done < length) {
      const from = (offset + done + this.#shift) % period;
      const take = Math.min(length - done, period - from);
      target.set(this.#table.subarray(from, from + take), start + done);
      done += take;
    }
  }

  /** The first offset in [offset, offset + length) whose byte at `start` is wrong, or -1. */
  mismatch(bytes: Uint8Array, start: number, offset: number, length: number): number {
    let from = (offset + this.#shift) % period;
    for (let i = 0; i < length; i++) {
      if (bytes[start + i] !== this.#table[from]) return offset + i;
      if (++from === period) from = 0;
    }
    return -1;
  }
}
