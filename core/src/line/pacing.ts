/**
 * How fast a line's bulk is let out while others' bytes would wait behind it: as fast as the line goes, with next to no queue. A
 * window alone does not keep a queue short where transfers run both ways: acknowledgements come in bunches from the queue of
 * the other way, and each bunch lets a burst go (Zhang, Shenker and Clark 1991). A pace a little too high, though, fills
 * the queue without end, and one too low wastes the line and is never found out. So the queue steers it: a long one lowers
 * the pace until it has drained, none at all raises it bit by bit, until there is a little.
 */

/** Of the estimate, where the queue is as it should be. */
const share = 0.97;
/** The queue wanted, ms: proof that the line is full. */
const queueWantedMs = 2;
/** Up to this there is none. */
const emptyMs = 2;
/** What is too long drains in so many ms, or bare round trips, whatever is longer. */
const drainMs = 100;
const drainRtts = 2;
/** Bulk is never held back further than this. */
const shareMin = 0.1;
/** Where no queue stands, or one that is too long: so much more or less every half round trip, and at most. */
const trimStep = 0.003;
const trimMin = 0.75;
const trimMax = 1.25;

export class Pacing {
  #share: number = share;
  /** What the estimate is mistaken by. */
  #trim = 1;
  #steeredMs = -Infinity;

  /** Of the line's estimated rate. */
  get share(): number {
    return this.#share;
  }

  /**
   * Takes how long our own queue on the line is, how long one looks that is none, and the round trip, all in ms; and whether
   * more was to be sent than the pace let go.
   */
  steer(queueMs: number, grainMs: number, rttMs: number, heldBack: boolean, nowMs: number): void {
    if (nowMs - this.#steeredMs < Math.max(rttMs / 2, 10)) return;
    this.#steeredMs = nowMs;
    const wantedMs = emptyMs + queueWantedMs + grainMs;
    if (queueMs > wantedMs + queueWantedMs) this.#trim = Math.max(this.#trim - trimStep, trimMin);
    else if (queueMs < emptyMs + 0.75 * grainMs && heldBack) this.#trim = Math.min(this.#trim + trimStep, trimMax);
    const tooLongMs = Math.max(0, queueMs - wantedMs);
    const lessens = tooLongMs / Math.max(drainMs, drainRtts * (rttMs - queueMs));
    this.#share = Math.max(shareMin, share * this.#trim - lessens);
  }
}
