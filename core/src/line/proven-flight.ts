/**
 * What a line that nobody has filled yet is known to take at once. Small transfers never fill a line, and each would begin
 * with a few segments and double them round trip by round trip (slow start, RFC 5681): longer than the transfer itself
 * takes. What was on its way without a queue before may be so again. (TCP forgets when it idles, RFC 2861, for its route
 * may have changed; a path here is one line to one relay, and a queue that shows takes the memory back.)
 */

/** What went without a queue may be doubled in the next round trip: that may as well be the next flight's first. */
const growth = 2;

export class ProvenFlight {
  #bytes = 0;

  /** Bytes that may be on their way at once; 0 where nothing was proven. */
  get bytes(): number {
    return this.#bytes;
  }

  /** So many bytes were on their way at once, and the last of them was acknowledged after `rttMs`; longer than `longestMs` means a queue. */
  take(bytes: number, rttMs: number, longestMs: number): void {
    if (rttMs <= longestMs) this.#bytes = Math.max(this.#bytes, growth * bytes);
    else this.#bytes = Math.min(this.#bytes, (bytes * longestMs) / rttMs);
  }
}
