import type { Stream } from './stream.ts';

/** Where a stream keeps its place in a roster; -1: it is not on it. */
type Place = 'outstandingPlace' | 'unrestedPlace' | 'unackedPlace';

/**
 * The few of thousands of streams that somebody has to look at. Each knows its place, so that coming and going cost the
 * same however many there are, and allocate nothing. In no order; who goes while it is walked through makes room for the last.
 */
export class Roster {
  readonly #place: Place;
  readonly #streams: Stream[] = [];

  constructor(place: Place) {
    this.#place = place;
  }

  get size(): number {
    return this.#streams.length;
  }

  /** The i-th, or undefined. Walk from the last to the first where streams may go meanwhile. */
  at(i: number): Stream | undefined {
    return this.#streams[i];
  }

  /** Nothing happens when it is there already. */
  add(stream: Stream): void {
    if (stream[this.#place] >= 0) return;
    stream[this.#place] = this.#streams.length;
    this.#streams.push(stream);
  }

  /** Nothing happens when it is not there. */
  delete(stream: Stream): void {
    const place = stream[this.#place];
    if (place < 0) return;
    stream[this.#place] = -1;
    const last = this.#streams.pop();
    if (!last || last === stream) return;
    this.#streams[place] = last;
    last[this.#place] = place;
  }
}
