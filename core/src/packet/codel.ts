/**
 * Whether the packet at the head of a queue is to be dropped, by how long packets stand in it (CoDel, RFC 8289). A queue that
 * empties within an interval only takes up bursts; one that stands longer than the target for all of it costs time and
 * brings nothing, so packets go, more and more often, until it has shrunk.
 */
export class Codel {
  readonly #intervalMs: number;
  /** When the queue will have stood for an interval; 0: it does not stand. */
  #standsMs = 0;
  #dropping = false;
  #nextMs = 0;
  #count = 0;
  #countBefore = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** `sojournMs`: how long the packet has stood; `last`: there is none behind it. Returns whether it goes. */
  drops(sojournMs: number, targetMs: number, last: boolean, nowMs: number): boolean {
    const standing = this.#stands(sojournMs, targetMs, last, nowMs);
    if (!this.#dropping) {
      if (!standing) return false;
      this.#begin(nowMs);
      return true;
    }
    if (!standing) {
      this.#dropping = false;
      return false;
    }
    if (nowMs < this.#nextMs) return false;
    this.#count++;
    this.#nextMs += this.#gapMs;
    return true;
  }

  #stands(sojournMs: number, targetMs: number, last: boolean, nowMs: number): boolean {
    if (sojournMs < targetMs || last) {
      this.#standsMs = 0;
      return false;
    }
    if (this.#standsMs === 0) this.#standsMs = nowMs + this.#intervalMs;
    return nowMs >= this.#standsMs;
  }

  /** Where dropping has ended just now it goes on nearly as it was. */
  #begin(nowMs: number): void {
    const recent = nowMs - this.#nextMs < 16 * this.#intervalMs;
    const since = this.#count - this.#countBefore;
    this.#count = recent && since > 1 ? since : 1;
    this.#countBefore = this.#count;
    this.#dropping = true;
    this.#nextMs = nowMs + this.#gapMs;
  }

  get #gapMs(): number {
    return this.#intervalMs / Math.sqrt(this.#count);
  }
}
