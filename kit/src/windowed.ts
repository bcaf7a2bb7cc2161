/**
 * Largest value of a sliding time window, in constant space: the best three samples of the window's three thirds
 * (Kathleen Nichols' windowed filter, as in Linux lib/win_minmax.c).
 */
export class WindowedMax {
  readonly #windowMs: number;
  readonly #values = new Float64Array(3);
  readonly #times = new Float64Array(3).fill(-Infinity);

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** The largest value of the last window; 0 when there was none. */
  get(nowMs: number): number {
    let best = 0;
    for (let i = 0; i < 3; i++) {
      if (nowMs - (this.#times[i] ?? 0) <= this.#windowMs) best = Math.max(best, this.#values[i] ?? 0);
    }
    return best;
  }

  add(value: number, nowMs: number): void {
    const third = Math.floor(nowMs / (this.#windowMs / 3));
    const slot = third % 3;
    const sameThird = Math.floor((this.#times[slot] ?? 0) / (this.#windowMs / 3)) === third;
    if (!sameThird || value >= (this.#values[slot] ?? 0)) {
      this.#values[slot] = value;
      this.#times[slot] = nowMs;
    }
  }

  reset(): void {
    this.#times.fill(-Infinity);
  }
}
