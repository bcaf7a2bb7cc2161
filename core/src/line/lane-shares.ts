/**
 * How two lanes share a line's pace: each may have all the other leaves, and half in any case. What a lane uses is its rate of late, so that
 * one which has little to send does not keep the other from the rest.
 */
const windowMs = 50;
/** Of the newest window in the mean. */
const newShare = 0.5;

export class LaneShares {
  #sinceMs = -Infinity;
  #strandBytes = 0;
  #packetBytes = 0;
  #strandRate = 0;
  #packetRate = 0;

  /** Takes what both have sent so far, bytes. */
  update(strandBytes: number, packetBytes: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < windowMs) return;
    if (elapsedMs < Infinity) {
      this.#strandRate += (((strandBytes - this.#strandBytes) * 1_000) / elapsedMs - this.#strandRate) * newShare;
      this.#packetRate += (((packetBytes - this.#packetBytes) * 1_000) / elapsedMs - this.#packetRate) * newShare;
    }
    this.#sinceMs = nowMs;
    this.#strandBytes = strandBytes;
    this.#packetBytes = packetBytes;
  }

  /** The strands' part of a pace. */
  strands(pace: number): number {
    return pace - Math.min(this.#packetRate, pace / 2);
  }

  /** The packets'. */
  packets(pace: number): number {
    return pace - Math.min(this.#strandRate, pace / 2);
  }
}
