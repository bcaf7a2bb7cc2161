/**
 * Which packet numbers of a path were seen (RFC 6479): a ring of bits that moves on by whole words, so that nothing is
 * shifted. As wide as packets of one path overtake each other: a line of 1 Gbit/s has 90 of them in a millisecond.
 */
const wordBits = 32;
const words = 512;
/** Numbers below the highest by this and more are taken for seen: a word is always half empty. */
export const replayWindowBits: number = (words - 1) * wordBits;

export class ReplayWindow {
  readonly #bits: Uint32Array = new Uint32Array(words);
  #highest = -1;

  /** The highest number seen; -1: none. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether a number was never seen, and is not so old that nobody knows. Looks only: what is not authentic must leave no trace. */
  fresh(number: number): boolean {
    if (number > this.#highest) return true;
    if (this.#highest - number >= replayWindowBits) return false;
    return ((this.#bits[wordOf(number)] ?? 0) & bitOf(number)) === 0;
  }

  /** Notes an authentic number that is {@link fresh}. Returns whether it is the highest so far. */
  mark(number: number): boolean {
    const highest = number > this.#highest;
    if (highest) this.#advance(number);
    const at = wordOf(number);
    this.#bits[at] = (this.#bits[at] ?? 0) | bitOf(number);
    return highest;
  }

  #advance(number: number): void {
    const from = Math.floor(this.#highest / wordBits);
    const to = Math.floor(number / wordBits);
    const cleared = Math.min(to - from, words);
    for (let i = 0; i < cleared; i++) this.#bits[(to - i) % words] = 0;
    this.#highest = number;
  }
}

const wordOf = (number: number): number => Math.floor(number / wordBits) % words;
const bitOf = (number: number): number => 1 << (number % wordBits);
