/** The shortest time looked at, ms: acknowledgements come in bunches. */
const windowMsMin = 30;

/**
 * What a line's connections have had acknowledged, over about a round trip. In plain bytes: the truth where segments are of all sizes,
 * blind while a loss holds the count back.
 */
export class AckedRate {
  #bytes = 0;
  #sinceMs = -Infinity;
  #rate = 0;
  #rateBefore = 0;

  /** Takes the bytes acknowledged so far; returns bytes per second over the better of the last two whole round trips. */
  update(bytesAcked: number, rttMs: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= Math.max(windowMsMin, rttMs)) {
      this.#rateBefore = this.#rate;
      this.#rate = elapsedMs === Infinity ? 0 : (Math.max(0, bytesAcked - this.#bytes) * 1_000) / elapsedMs;
      this.#bytes = bytesAcked;
      this.#sinceMs = nowMs;
    }
    return Math.max(this.#rate, this.#rateBefore);
  }
}
