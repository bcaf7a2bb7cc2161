/** Segments looked at together. */
const atLeast = 8;

/**
 * How full a connection's segments are. The kernel counts delivered segments and multiplies by the full size, so that a
 * trickle of small records looks like a fast line (tcp_compute_delivery_rate).
 */
export class SegmentFill {
  #bytes = 0;
  #segments = 0;
  #share = 0;

  /** Takes the connection's counts of bytes and segments sent; returns the mean share of a full segment lately, 0 to 1. */
  update(bytesSent: number, segmentsSent: number, segmentBytes: number): number {
    const segments = segmentsSent - this.#segments;
    if (segments >= atLeast) {
      this.#share = Math.min(1, (bytesSent - this.#bytes) / (segments * segmentBytes));
      this.#bytes = bytesSent;
      this.#segments = segmentsSent;
    }
    return this.#share;
  }
}
