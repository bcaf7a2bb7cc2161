/**
 * What a line carries, from the kernel's delivery rates (Cheng et al., draft-cheng-iccrg-delivery-rate-estimation).
 *
 * A sample taken while we gave the line too little is only a lower bound, or our own cap would feed on itself: it can raise
 * the estimate, never lower it. Where a queue stands on the line, though, it was full, and every sample counts. One
 * sample over a short round trip is coarse (a few segments); so the highest of the last two seconds is bounded by the
 * average.
 */
import { WindowedMax } from '@tresse/kit';

/** How long a sample counts, ms: long enough to bridge a pause, short enough to follow a mobile line. */
const windowMs = 2_000;
/** Above this a sample is loopback or a burst that says nothing of a line, bytes per second. */
const rateMax = 12_500_000_000;
/** A round trip longer than the bare one by this means a queue, ms. */
const queueEvidenceMs = 10;
/** ... and the end of the start-up, wherever a round trip is longer than this. */
const fullQueueMs = 40;
/** Time constants of the average, ms: up at once, as a start-up doubles the rate each round trip, down slowly. */
const averageUpMs = 40;
const averageDownMs = 300;
/** The estimate is at most this much above the average. */
const aboveAverage = 1.15;

/** The line is full when the estimate has not grown by this factor in so many round trips (as bbr judges it). */
const growth = 1.25;
const growthRtts = 3;

export class LineRate {
  readonly #highest: WindowedMax = new WindowedMax(windowMs);
  #estimate = 0;
  #average = 0;
  #averagedMs = -Infinity;
  #measured = false;
  #startingUp = true;
  #fullRate = 0;
  #fullMs = 0;

  /** Bytes per second; a lower bound while {@link measured} is false, 0 when nothing is known. */
  get bytesPerSecond(): number {
    return this.#estimate;
  }

  /** The line was filled once. */
  get measured(): boolean {
    return this.#measured;
  }

  /** The estimate still grows from round trip to round trip: what the line carries is not known yet. */
  get startingUp(): boolean {
    return this.#startingUp;
  }

  /**
   * Takes a sample in: its rate in bytes per second, whether the source limited it, the bare round trip and how long the
   * queue was, ms.
   */
  add(sample: number, sourceLimited: boolean, baseRttMs: number, queueMs: number, nowMs: number): void {
    if (sample <= 0 || sample > rateMax) return;
    this.#take(sample, sourceLimited, queueMs, nowMs);
    if (!this.#startingUp || !this.#measured) return;
    if (this.#estimate >= this.#fullRate * growth) {
      this.#fullRate = this.#estimate;
      this.#fullMs = nowMs;
    } else if ((!sourceLimited || queueMs >= queueEvidenceMs) && nowMs - this.#fullMs > growthRtts * baseRttMs) {
      this.#startingUp = false;
    }
    if (queueMs > Math.max(2 * queueEvidenceMs, Math.min(baseRttMs, fullQueueMs))) this.#startingUp = false;
  }

  #take(sample: number, sourceLimited: boolean, queueMs: number, nowMs: number): void {
    const lowerBound = sourceLimited && queueMs < queueEvidenceMs;
    if (lowerBound && sample <= this.#estimate) return;
    this.#highest.add(sample, nowMs);
    const highest = this.#highest.get(nowMs);
    if (lowerBound) {
      this.#estimate = Math.max(
        this.#estimate,
        this.#measured ? Math.min(highest, this.#bound(sample, nowMs)) : highest,
      );
      return;
    }
    this.#measured = true;
    this.#estimate = Math.min(highest, this.#bound(sample, nowMs));
  }

  /** Averages over time, each sample for as long as it stood; returns what the estimate may not exceed. */
  #bound(sample: number, nowMs: number): number {
    const constantMs = sample > this.#average ? averageUpMs : averageDownMs;
    const elapsedMs = nowMs - this.#averagedMs;
    this.#averagedMs = nowMs;
    // Out of a pause the first sample counts for one of its own length, not for the pause.
    const share = this.#average === 0 ? 1 : 1 - Math.exp(-Math.min(elapsedMs, averageUpMs) / constantMs);
    this.#average += (sample - this.#average) * share;
    return this.#average * aboveAverage;
  }
}
