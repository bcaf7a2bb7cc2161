/**
 * Turns by bytes, not by visits: who sent a large piece waits until the others have sent as much (surplus round robin: deficit
 * round robin, Shreedhar and Varghese 1995, where a piece may overdraw what is left, for its size is known only when its line
 * is; Adiseshu, Parulkar and Varghese 1996).
 */
import { NumberedQueue } from '@tresse/kit';

/** What a turn brings, bytes: a few segments, so that many small ones wait for no large one. */
export const turnBytes = 16_384;

/** Somebody who takes turns. */
export interface Taker {
  /** What it may still send in this turn, bytes; below 0: what it has sent too much. */
  leftBytes: number;
}

export class RoundRobin<T extends Taker> {
  readonly #waiting: NumberedQueue<T> = new NumberedQueue();
  /** Its turn is not over. */
  #front: T | undefined;
  #served: T | undefined;

  get length(): number {
    return this.#waiting.length + (this.#front ? 1 : 0);
  }

  /** Somebody has something to send, again. Once until it is taken. */
  push(taker: T): void {
    if (taker === this.#served && taker.leftBytes > 0 && !this.#front) this.#front = taker;
    else this.#waiting.push(0, taker);
  }

  /** Whose turn it is, taken out; undefined when nobody waits. */
  shift(): T | undefined {
    const front = this.#front;
    if (front) {
      this.#front = undefined;
      return front;
    }
    for (let taker = this.#waiting.shift(); taker; taker = this.#waiting.shift()) {
      // Alone, it owes nobody anything.
      if (taker.leftBytes <= 0) taker.leftBytes = this.#waiting.length === 0 ? turnBytes : taker.leftBytes + turnBytes;
      if (taker.leftBytes > 0) {
        this.#served = taker;
        return taker;
      }
      this.#waiting.push(0, taker);
    }
    return undefined;
  }

  /** The one taken last has sent nothing: its turn is over, and what is left of it stays. */
  pass(): void {
    this.#served = undefined;
  }

  /** Drops what `keep` refuses. */
  retain(keep: (taker: T) => boolean): void {
    if (this.#front && !keep(this.#front)) this.#front = undefined;
    this.#waiting.retain(keep);
  }
}
