import { Prng } from '@tresse/kit';

/** A prime: no chunk size and no power of two is a multiple of it, so that a displaced piece never looks right. */
const period = 65_521;

function randomBytes(): Uint8Array {
  const prng = new Prng(period);
  return Uint8Array.from({ length: period }, () => prng.u32() & 0xff);
}

/** What a stream carries: known bytes for every offset, so that the other end can tell what is missing, twice or displaced. */
export class Pattern {
  /** All patterns are of one table, each from a place of its own. */
  static readonly #table: Uint8Array = randomBytes();
  readonly #shift: number;

  constructor(key: number) {
    this.#shift = key % period;
  }

  /** Writes the bytes of [offset, offset + length) at `start`. */
  write(target: Uint8Array, start: number, offset: number, length: number): void {
    let done = 0;
    while (done < length) {
      const from = (offset + done + this.#shift) % period;
      const take = Math.min(length - done, period - from);
      target.set(Pattern.#table.subarray(from, from + take), start + done);
      done += take;
    }
  }

  /** The first offset in [offset, offset + length) whose byte at `start` is wrong, or -1. */
  mismatch(bytes: Uint8Array, start: number, offset: number, length: number): number {
    const table = Pattern.#table;
    let done = 0;
    while (done < length) {
      const from = (offset + done + this.#shift) % period;
      const take = Math.min(length - done, period - from);
      const ahead = start + done - from;
      // The simulator's busiest loop.
      for (let i = from; i < from + take; i++) if (bytes[ahead + i] !== table[i]) return offset + done + i - from;
      done += take;
    }
    return -1;
  }
}
