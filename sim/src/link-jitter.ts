import type { Prng } from '@tresse/kit';

/**
 * Jitter as lines show it: the extra delay wanders, it is not drawn anew for each packet. Independent draws with order kept would
 * pin a busy line at the worst draw and hide the jitter. Here the delay follows straight segments between random
 * knots, spaced at twice the amplitude or more, so that it never falls faster than half of real time: order holds by itself
 * and packets never arrive at more than twice the line's rate.
 */
export class Jitter {
  readonly #prng: Prng;
  #fromMs = -Infinity;
  #toMs = -Infinity;
  #from = 0;
  #to = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Extra delay of a packet sent at `atMs`, 0 to `amplitudeMs`. Times must not go back. */
  at(atMs: number, amplitudeMs: number): number {
    if (amplitudeMs === 0) return 0;
    if (atMs >= this.#toMs) this.#nextKnot(atMs, Math.max(knotSpacingMsMin, 2 * amplitudeMs));
    const share = (atMs - this.#fromMs) / (this.#toMs - this.#fromMs);
    return amplitudeMs * (this.#from + (this.#to - this.#from) * share);
  }

  #nextKnot(atMs: number, spacingMs: number): void {
    if (atMs - this.#toMs < spacingMs) {
      this.#fromMs = this.#toMs;
      this.#from = this.#to;
    } else {
      this.#fromMs = atMs;
      this.#from = this.#prng.float();
    }
    this.#toMs = this.#fromMs + spacingMs;
    this.#to = this.#prng.float();
  }
}

/** Short enough that a one-second measurement sees dozens of values. */
const knotSpacingMsMin = 20;
