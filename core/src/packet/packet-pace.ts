/**
 * How fast datagrams leave onto a line: above its rate, so that a line which became faster is found out, but never in bursts
 * that fill the queue of a modem. What is on its way is bounded besides.
 */

/** Of the line's estimated rate; of one that is being found out: it doubles each round trip (bbr's 2 / ln 2). */
const gain = 1.2;
const startGain = 2.89;
/** Saved at most: so many ms' worth, and a few packets. */
const savedMs = 2;
const savedBytesMin = 4 * 1_500;
/** What waits for it has a right to all the time since, even where nobody looked meanwhile, as on a machine that is busy: up to so many ms. */
const waitedMsMax = 10;

export class PacketPace {
  #left: number = savedBytesMin;
  #countedMs = 0;
  #perMs = 0;

  /** Whether a packet may leave a line of so many bytes per second now; `known`: that is its rate, and no lower bound. `most`: no more than so many, or Infinity. */
  ready(rate: number, known: boolean, most: number, nowMs: number): boolean {
    this.#perMs = Math.min((known ? gain : startGain) * rate, most) * 0.001;
    const elapsedMs = nowMs - this.#countedMs;
    const keptMs = !this.open ? Math.max(savedMs, Math.min(elapsedMs, waitedMsMax)) : savedMs;
    this.#left = Math.min(Math.max(savedBytesMin, keptMs * this.#perMs), this.#left + elapsedMs * this.#perMs);
    this.#countedMs = nowMs;
    return this.open;
  }

  /** What {@link ready} said holds still, after what was spent since. */
  get open(): boolean {
    return this.#left > 0;
  }

  spend(bytes: number): void {
    this.#left -= bytes;
  }

  /** In how many ms the next one may leave, for what {@link ready} has just refused. */
  get waitMs(): number {
    return this.#left > 0 ? 0 : -this.#left / this.#perMs + 0.01;
  }
}
