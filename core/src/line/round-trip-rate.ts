/** The shortest time looked at, ms: acknowledgements come in bunches. */
const windowMsMin = 30;

/**
 * How fast a count of a line's bytes grows, over about a round trip. Of acknowledged ones it is the truth where segments are of all
 * sizes, and blind while a loss holds the count back.
 */
export class RoundTripRate {
  #bytes = 0;
  #sinceMs = -Infinity;
  #rate = 0;
  #rateBefore = 0;

  /** Takes the count so far; returns bytes per second over the better of the last two whole round trips. */
  update(bytes: number, rttMs: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= Math.max(windowMsMin, rttMs)) {
      this.#rateBefore = this.#rate;
      this.#rate = elapsedMs === Infinity ? 0 : (Math.max(0, bytes - this.#bytes) * 1_000) / elapsedMs;
      this.#bytes = bytes;
      this.#sinceMs = nowMs;
    }
    return Math.max(this.#rate, this.#rateBefore);
  }
}
