/**
 * Whose queue is it? A round trip longer than the shortest one means that something stands in a queue: ours, which we
 * bound, or none at all, because the route has changed and is longer now. What we have outstanding explains a certain
 * round trip. Where it stays longer than that, less is given for a moment: if the round trip shrinks, the queue was ours;
 * if it does not, that is the line's bare round trip now. (bbr's PROBE_RTT asks the same, every ten seconds and by
 * stopping.)
 */

/** A round trip this many times longer than explained is looked into, after so long, ms. */
const unexplained = 1.3;
const patienceMs = 1_000;
/** What is given meanwhile, and for how long: so many round trips, ms at least. */
const lessGain = 0.7;
const lessRtts = 2;
const lessMsMin = 80;
/** A queue of our own shrinks at least to this share of the round trip. */
const shrinks = 0.85;
/** How long an answer holds, ms. */
const verdictMs = 5_000;
/** A longer route is forgotten when a round trip falls to this share of it. */
const forgotten = 0.8;

export class QueueWatch {
  #routeMs = 0;
  #doubtSinceMs = Infinity;
  /** Until when less is given; in the past for ever while it is not. */
  #lessUntilMs: number = -Infinity;
  #beforeMs = 0;
  #lowestMs = Infinity;
  #oursUntilMs = -Infinity;

  /** The bare round trip where the route has become longer than the shortest ever seen, ms; else 0. */
  get routeMs(): number {
    return this.#routeMs;
  }

  /** What to give now, as a share of what would fill the line. */
  gain(nowMs: number): number {
    return nowMs < this.#lessUntilMs ? lessGain : 1;
  }

  /** Whether a long round trip may be taken as proof that the line is full. */
  believes(rttMs: number, explainedMs: number, nowMs: number): boolean {
    return rttMs <= unexplained * explainedMs || nowMs < this.#oursUntilMs;
  }

  /** Takes a smoothed round trip in, and the one that what is outstanding explains, ms. */
  take(rttMs: number, explainedMs: number, nowMs: number): void {
    if (rttMs < forgotten * this.#routeMs) this.#routeMs = 0;
    if (this.#lessUntilMs !== -Infinity) this.#whileGivingLess(rttMs, nowMs);
    else if (rttMs <= unexplained * explainedMs || nowMs < this.#oursUntilMs) this.#doubtSinceMs = Infinity;
    else if (this.#doubtSinceMs === Infinity) this.#doubtSinceMs = nowMs;
    else if (nowMs - this.#doubtSinceMs > patienceMs) {
      this.#lessUntilMs = nowMs + Math.max(lessMsMin, lessRtts * rttMs);
      this.#beforeMs = rttMs;
      this.#lowestMs = Infinity;
    }
  }

  #whileGivingLess(rttMs: number, nowMs: number): void {
    this.#lowestMs = Math.min(this.#lowestMs, rttMs);
    if (nowMs < this.#lessUntilMs) return;
    this.#lessUntilMs = -Infinity;
    this.#doubtSinceMs = Infinity;
    if (this.#lowestMs <= shrinks * this.#beforeMs) this.#oursUntilMs = nowMs + verdictMs;
    else this.#routeMs = this.#lowestMs;
  }
}
