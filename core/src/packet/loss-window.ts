/** Share of packets lost, over one stretch of time after the other. */

/** A stretch lasts so long at least, ms, and has so many packets. */
const windowMs = 250;
const windowPackets = 30;
/** One that fills so slowly says nothing of what the line can do. */
const windowMsMax = 2_000;

export class LossWindow {
  #sinceMs = -Infinity;
  #sent = 0;
  #came = 0;
  #bytes = 0;
  #rate = 0;

  /** What came in the last stretch, bytes per second. */
  get rate(): number {
    return this.#rate;
  }

  /**
   * Takes how many packets have left so far, how many of those came, and how many bytes. Returns the share lost of the stretch
   * that ends now, or -1 while none does.
   */
  take(sent: number, came: number, bytes: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#sinceMs;
    const packets = sent - this.#sent;
    const slow = elapsedMs > windowMsMax;
    if (!slow && (elapsedMs < windowMs || packets < windowPackets)) return -1;
    const lost = packets - (came - this.#came);
    const rate = ((bytes - this.#bytes) * 1_000) / elapsedMs;
    this.begin(sent, came, bytes, nowMs);
    if (slow) return -1;
    this.#rate = rate;
    return Math.max(0, lost) / packets;
  }

  /** What was before does not count. */
  begin(sent: number, came: number, bytes: number, nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#sent = sent;
    this.#came = came;
    this.#bytes = bytes;
  }
}
