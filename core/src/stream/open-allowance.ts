/** How many streams may be opened now: so many a second, and after a pause what some time would have allowed. */
export class OpenAllowance {
  readonly #perSecond: number;
  readonly #savedMax: number;
  #left: number;
  #countedMs: number;

  /** `savedS`: what this many seconds allow may be opened at once. */
  constructor(perSecond: number, savedS: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#savedMax = Math.max(1, perSecond * savedS);
    this.#left = this.#savedMax;
    this.#countedMs = nowMs;
  }

  /** Counts one more. Returns false, and counts nothing, when that would be too many. */
  take(nowMs: number): boolean {
    const fresh = ((nowMs - this.#countedMs) * this.#perSecond) / 1_000;
    this.#left = Math.min(this.#savedMax, this.#left + fresh);
    this.#countedMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
