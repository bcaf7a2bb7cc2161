import { streamsMax } from '../limits.ts';

/** What became of a stream number. */
export type NumberState = 'new' | 'used' | 'impossible';

/**
 * Which stream numbers the peer has used: all below a floor, and a few above it (OPENs overtake each other between
 * strands). Numbers are given upwards by two without gaps, so the floor follows.
 */
export class UsedNumbers {
  #floor: number;
  readonly #above = new Set<number>();

  /** `first` is the peer's first number: 1 for the box's, 2 for the relay's. */
  constructor(first: number) {
    this.#floor = first;
  }

  state(stream: number): NumberState {
    if (stream % 2 !== this.#floor % 2 || stream >= this.#floor + 2 * streamsMax) return 'impossible';
    return stream < this.#floor || this.#above.has(stream) ? 'used' : 'new';
  }

  use(stream: number): void {
    this.#above.add(stream);
    while (this.#above.delete(this.#floor)) this.#floor += 2;
  }
}
