/** Segments looked at together, at least. */
const atLeast = 8;
const marksMax = 32;
/** So many marks to what is on its way. */
const marksPerFlight = 16;

/**
 * How full the segments are whose delivery the kernel measures. It counts delivered segments and multiplies by the full size,
 * so that a trickle of small records looks like a fast line (tcp_compute_delivery_rate). A sample spans the last round trip's
 * deliveries, while what is sent now may be of another kind: so marks are kept of what was sent, and the share is that of
 * the emptiest stretch among as many segments before the oldest one on its way as are on their way.
 */
export class SegmentFill {
  /** Rings: a stretch's last segment, and its share of full ones. */
  readonly #ends: Float64Array = new Float64Array(marksMax);
  readonly #shares: Float64Array = new Float64Array(marksMax);
  #newest = 0;
  #count = 0;
  #bytes = 0;

  /**
   * Takes the connection's counts of bytes and segments sent, and of segments on their way; returns the share of a full
   * segment among those delivered lately, 0 to 1; 0 when too few were.
   */
  update(bytesSent: number, segmentsSent: number, segmentsUnacked: number, segmentBytes: number): number {
    const segments = segmentsSent - (this.#ends[this.#newest] ?? 0);
    if (segments >= Math.max(atLeast, segmentsUnacked / marksPerFlight)) {
      this.#newest = (this.#newest + 1) % marksMax;
      this.#ends[this.#newest] = segmentsSent;
      this.#shares[this.#newest] = Math.min(1, (bytesSent - this.#bytes) / (segments * segmentBytes));
      this.#bytes = bytesSent;
      if (this.#count < marksMax) this.#count++;
    }
    return this.#leastBetween(segmentsSent - 2 * Math.max(atLeast, segmentsUnacked), segmentsSent - segmentsUnacked);
  }

  /** The least share among stretches that lie in part between two segments. */
  #leastBetween(from: number, to: number): number {
    let least = 1;
    let found = false;
    let beginsAt = Infinity;
    for (let i = 0; i < this.#count && beginsAt > from; i++) {
      const at = (this.#newest + marksMax - i) % marksMax;
      const end = this.#ends[at] ?? 0;
      beginsAt = this.#ends[(at + marksMax - 1) % marksMax] ?? 0;
      if (i === this.#count - 1) beginsAt = -Infinity;
      if (beginsAt >= to || end <= from) continue;
      found = true;
      least = Math.min(least, this.#shares[at] ?? 0);
    }
    return found ? least : 0;
  }
}
