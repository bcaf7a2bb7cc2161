/**
 * How long what comes from the peer waits in the line's queue that way. A round trip does not tell which of its two ways
 * was slow: beside a transfer the other way it is the return, and taking that for a queue of our own would throttle us
 * for what the peer sends. So every acknowledgement says by the peer's clock when it left. Clocks differ by an unknown
 * constant and drift a little: what counts is how much later than the soonest of the last seconds something comes
 * (one-way delay variation, as in LEDBAT, RFC 6817).
 */
import { WindowedMax } from '@tresse/kit';

/** The soonest of so long is taken for a way without queue, ms: long enough to see one, short enough for drifting clocks. */
const baseWindowMs = 20_000;
/** Weight of the newest in the average: about the round trips that the kernel's smoothed one spans. */
const newest = 0.2;
/** A figure is of no use after this, ms. */
const staleMs = 1_000;
/** Added to what is looked for the largest of, so that it is above 0: more than clocks drift apart in an hour, us. */
const middle = 2 ** 31;

export class ReturnDelay {
  /** The soonest, negated: a maximum; relative to the first, us. */
  readonly #soonest: WindowedMax = new WindowedMax(baseWindowMs);
  #first = -1;
  #averageMs = 0;
  #tookMs = -Infinity;

  /** Something that left at `peerUs` (the peer's clock, modulo 2^32) came at `nowMs`. */
  take(peerUs: number, nowMs: number): void {
    const differenceUs = (microseconds(nowMs) - peerUs) >>> 0;
    if (this.#first < 0) this.#first = differenceUs;
    const relativeUs = (differenceUs - this.#first) | 0;
    this.#soonest.add(middle - relativeUs, nowMs);
    const queueMs = (relativeUs + this.#soonest.get(nowMs) - middle) / 1_000;
    const weight = nowMs - this.#tookMs > staleMs ? 1 : newest;
    this.#averageMs += (queueMs - this.#averageMs) * weight;
    this.#tookMs = nowMs;
  }

  /** How long what came lately waited on its way, ms, on average; 0 when nothing came. */
  queueMs(nowMs: number): number {
    return nowMs - this.#tookMs > staleMs ? 0 : this.#averageMs;
  }
}

/** A time in ms as it goes over the wire: microseconds, modulo 2^32. */
export const microseconds = (ms: number): number => Math.floor(ms * 1_000) >>> 0;
