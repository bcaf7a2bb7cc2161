/** First pause; doubles with every further fault that is remembered. */
const pauseMsMin = 50;
const pauseMsMax = 5_000;
const memoryMs = 60_000;
/** So many faults remembered, and something is broken that a restart does not mend. */
const faultsMax = 10;

/** When to begin again what has failed: at once for a rare fault, ever later for frequent ones, never for a hopeless case. */
export class RestartPolicy {
  readonly #faultTimes: number[] = [];

  /** Notes a fault. Returns the pause before the next attempt in milliseconds, or undefined after ten faults in a minute. */
  fault(nowMs: number): number | undefined {
    this.#faultTimes.push(nowMs);
    while ((this.#faultTimes[0] ?? nowMs) <= nowMs - memoryMs) this.#faultTimes.shift();
    if (this.#faultTimes.length >= faultsMax) return undefined;
    return Math.min(pauseMsMax, pauseMsMin * 2 ** (this.#faultTimes.length - 1));
  }
}
