import { assert } from './errors.ts';
import type { Slab } from './slab.ts';

/**
 * Bytes of a text that stand elsewhere, in one or more slabs: whoever reads the text takes them from there, and saves a copy.
 * Filled anew for every text; allocates nothing once it has grown.
 */
export class Parts {
  readonly #slabs: Slab[] = [];
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  #count = 0;
  #at = 0;
  #bytes = 0;

  /** Where in the text's own slab they belong, one behind the other. */
  get at(): number {
    return this.#at;
  }

  /** How long they are together. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Forgets what was there; what is added from now on belongs at `at`. */
  begin(at: number): void {
    this.#count = 0;
    this.#at = at;
    this.#bytes = 0;
  }

  /** Adds [start, start + length) of a slab, which must stay as it is until the text was read. Throws BugError where it is not in the slab. */
  add(slab: Slab, start: number, length: number): void {
    assert(start >= 0 && length >= 0 && start + length <= slab.bytes.length, 'a part lies in its slab');
    this.#slabs[this.#count] = slab;
    this.#starts[this.#count] = start;
    this.#lengths[this.#count] = length;
    this.#count++;
    this.#bytes += length;
  }

  /** Length of the i-th part, bytes. */
  lengthOf(i: number): number {
    return this.#lengths[i] ?? 0;
  }

  /** Where the i-th part stands; 0 where nothing native sees it. */
  addressOf(i: number): number {
    const address = this.#slabs[i]?.address ?? 0;
    return address === 0 ? 0 : address + (this.#starts[i] ?? 0);
  }

  /** Copies them to where they belong. */
  copyTo(bytes: Uint8Array): void {
    let at = this.#at;
    for (let i = 0; i < this.#count; i++) {
      const start = this.#starts[i] ?? 0;
      const length = this.lengthOf(i);
      const from = this.#slabs[i]?.bytes.subarray(start, start + length);
      if (from) bytes.set(from, at);
      at += length;
    }
  }
}
