/**
 * When how many bytes had arrived: the timeline all figures are taken from. Arrivals within a millisecond are one sample, so a
 * long transfer stays small.
 */
export class Arrivals {
  readonly #atMs: number[] = [];
  readonly #bytes: number[] = [];

  /** Takes the next arrival; `nowMs` never runs backwards. */
  add(bytes: number, nowMs: number): void {
    const last = this.#atMs.length - 1;
    const total = this.bytes + bytes;
    if (last >= 0 && Math.floor(nowMs) === Math.floor(this.#atMs[last] ?? 0)) {
      this.#bytes[last] = total;
      return;
    }
    this.#atMs.push(nowMs);
    this.#bytes.push(total);
  }

  get bytes(): number {
    return this.#bytes.at(-1) ?? 0;
  }

  /** When the first byte came; undefined before. */
  get firstMs(): number | undefined {
    return this.#atMs[0];
  }

  /** When the last byte so far came; undefined before the first. */
  get lastMs(): number | undefined {
    return this.#atMs.at(-1);
  }

  /** Bytes that had arrived by then. */
  bytesAt(atMs: number): number {
    let low = 0;
    let high = this.#atMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#atMs[middle] ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : (this.#bytes[low - 1] ?? 0);
  }

  /** Bits per second from then until the last byte; 0 where nothing came after. */
  rateFromBps(fromMs: number): number {
    const last = this.lastMs;
    if (last === undefined || last <= fromMs) return 0;
    return ((this.bytes - this.bytesAt(fromMs)) * 8_000) / (last - fromMs);
  }

  /** The lowest rate of any whole second that begins at `fromMs` or whole seconds later and ends before the last byte; undefined where there is none. */
  slowestSecondBps(fromMs: number): number | undefined {
    const lastMs = this.lastMs ?? 0;
    let slowest: number | undefined;
    for (let at = fromMs; at + 1_000 <= lastMs; at += 1_000) {
      const bps = (this.bytesAt(at + 1_000) - this.bytesAt(at)) * 8;
      if (slowest === undefined || bps < slowest) slowest = bps;
    }
    return slowest;
  }

  /** The longest time without a new byte between the first and the last: how long, and when it began. */
  longestGap(): Gap {
    let gap: Gap = { ms: 0, fromMs: this.firstMs ?? 0 };
    for (let i = 1; i < this.#atMs.length; i++) {
      const from = this.#atMs[i - 1] ?? 0;
      const ms = (this.#atMs[i] ?? 0) - from;
      if (ms > gap.ms) gap = { ms, fromMs: from };
    }
    return gap;
  }

  /** The longest time without a new byte between two moments, in ms. */
  longestGapMs(fromMs: number, toMs: number): number {
    let sinceMs = fromMs;
    let longest = 0;
    for (const atMs of this.#atMs) {
      if (atMs <= fromMs) continue;
      if (atMs >= toMs) break;
      longest = Math.max(longest, atMs - sinceMs);
      sinceMs = atMs;
    }
    return Math.max(longest, toMs - sinceMs);
  }

  /** Pairs of time and total, for sending to another process. */
  toPairs(): [number, number][] {
    return this.#atMs.map((at, i) => [at, this.#bytes[i] ?? 0]);
  }

  /** What {@link toPairs} gave. */
  static fromPairs(pairs: readonly (readonly [number, number])[]): Arrivals {
    const arrivals = new Arrivals();
    for (const [at, total] of pairs) {
      arrivals.#atMs.push(at);
      arrivals.#bytes.push(total);
    }
    return arrivals;
  }
}

/** A time without new bytes. */
export interface Gap {
  readonly ms: number;
  readonly fromMs: number;
}
