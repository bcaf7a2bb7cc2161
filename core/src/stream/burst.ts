/**
 * How much one direction of a stream has carried at a stretch: a connection that asks for one small thing after the other never
 * becomes a transfer, however long it lives.
 */

/** After a pause of so long, ms, something new begins. */
const pauseMs = 250;

export class Burst {
  #fromOffset = 0;
  #lastMs = -Infinity;

  /** Bytes go or come, up to this offset so far; `rested` says that nothing of those before is under way. */
  take(offset: number, rested: boolean, nowMs: number): void {
    if (rested && nowMs - this.#lastMs >= pauseMs) this.#fromOffset = offset;
    this.#lastMs = nowMs;
  }

  /** From the stretch's beginning to this offset, bytes. */
  bytes(offset: number): number {
    return offset - this.#fromOffset;
  }
}
