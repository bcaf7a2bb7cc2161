/**
 * How fast datagrams leave onto a line: above its rate, so that a line which became faster is found out, but never in bursts
 * that fill the queue of a modem. What is on its way is bounded besides.
 */

/** What is known of a line's rate: that it is no more, that it is so much, that it is at least so much. */
export type RateKnown = 'full' | 'known' | 'least';
/** Of the line's estimated rate; of one that is being found out: it doubles each round trip (bbr's 2 / ln 2). One whose queue has just run over, be it too short to show, gets what it carries. */
const gains: Readonly<Record<RateKnown, number>> = { full: 1, known: 1.2, least: 2.89 };
/** Saved at most: so many ms' worth, and a few packets. */
const savedMs = 2;
const savedBytesMin = 2 * 1_500;
/** What waits for it has a right to all the time since, even where nobody looked meanwhile, as on a machine that is busy: up to so many ms. */
const waitedMsMax = 10;

export class PacketPace {
  #left: number = savedBytesMin;
  #countedMs = 0;
  #perMs = 0;

  /** Whether a packet may leave a line of so many bytes per second now, of which so much is known. `most`: no more than so many, or Infinity. */
  ready(rate: number, known: RateKnown, most: number, nowMs: number): boolean {
    this.#perMs = Math.min(gains[known] * rate, most) * 0.001;
    const elapsedMs = nowMs - this.#countedMs;
    const keptMs = this.open ? savedMs : Math.max(savedMs, Math.min(elapsedMs, waitedMsMax));
    const saved = Math.max(savedBytesMin, keptMs * this.#perMs);
    // What did not wait for its turn is a debt of no more than the same.
    this.#left = Math.min(saved, Math.max(-saved, this.#left) + elapsedMs * this.#perMs);
    this.#countedMs = nowMs;
    return this.open;
  }

  /** What {@link ready} said holds still, after what was spent since. */
  get open(): boolean {
    return this.#left > 0;
  }

  /** What does not wait for the pace leaves no more than a moment's debt: bulk would stand still for it. */
  spend(bytes: number): void {
    this.#left = Math.max(this.#left - bytes, -Math.max(savedBytesMin, savedMs * this.#perMs));
  }

  /** In how many ms the next one may leave, for what {@link ready} has just refused. */
  get waitMs(): number {
    return this.#left > 0 ? 0 : -this.#left / this.#perMs + 0.01;
  }
}
