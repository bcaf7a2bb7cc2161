/** Virtual time: events in order of their time, equal times in the order they were asked for. Nothing ever waits. */
import { BugError } from '@tresse/kit';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

const before = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** More events at one moment mean that they cause each other. */
const atOnceMax = 100_000;

export class Clock {
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #order = 0;
  #atOnce = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened. */
  get count(): number {
    return this.#order - this.#heap.length;
  }

  /** Does something at a time; a time that has passed means now. */
  at(atMs: number, act: () => void): void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, act };
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (!above || !before(event, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  /** Lets the next event happen if it is due by then; returns false when none is, and the time is then. */
  step(untilMs: number): boolean {
    const first = this.#heap[0];
    if (!first || first.atMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#removeFirst();
    this.#atOnce = first.atMs > this.#nowMs ? 0 : this.#atOnce + 1;
    if (this.#atOnce > atOnceMax) throw new BugError('SIMULATION', `time stands still at ${this.#nowMs} ms`);
    this.#nowMs = first.atMs;
    first.act();
    return true;
  }

  /** Runs until a time, or until `done` says so; returns true when it did. */
  run(untilMs: number, done: () => boolean = (): boolean => false): boolean {
    while (!done()) if (!this.step(untilMs)) return false;
    return true;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const left = heap[child];
      if (!left) break;
      const right = heap[child + 1];
      if (right && before(right, left)) child++;
      const least = heap[child];
      if (!least || !before(least, last)) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
  }
}
