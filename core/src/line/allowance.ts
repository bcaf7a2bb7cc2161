/**
 * What a line may carry, where a person has set a limit: bytes that come back with time (a token bucket). Little may be
 * saved, so that no burst stands in the queue of a modem that is slower than it takes; and a chunk that was begun may
 * overdraw it, which the next one waits for.
 */

/** Saved at most: so many milliseconds' worth, for the driver comes by every couple of them, and two segments at least. */
const savedMs = 5;
const savedBytesMin = 3_000;
/** Bytes of a segment, and of its headers (IP, TCP with time stamps), which the line carries too. */
const segmentBytes = 1_448;
const headerBytes = 52;

export class Allowance {
  #bytesPerMs = 0;
  #left = 0;
  #countedMs = 0;

  /** The limit, bits per second; 0: none. */
  get limitBps(): number {
    return this.#bytesPerMs * 8_000;
  }

  /** Sets the limit, bits per second; 0: none. */
  limit(bps: number, nowMs: number): void {
    this.#count(nowMs);
    this.#bytesPerMs = bps / 8_000;
    this.#left = Math.min(this.#left, this.#savedBytes());
  }

  /** Whether something may be sent now. */
  ready(nowMs: number): boolean {
    if (this.#bytesPerMs === 0) return true;
    this.#count(nowMs);
    return this.#left > 0;
  }

  /** So many bytes were sent. */
  spend(bytes: number, nowMs: number): void {
    if (this.#bytesPerMs === 0) return;
    this.#count(nowMs);
    this.#left -= bytes + Math.ceil(bytes / segmentBytes) * headerBytes;
  }

  #count(nowMs: number): void {
    this.#left = Math.min(this.#savedBytes(), this.#left + (nowMs - this.#countedMs) * this.#bytesPerMs);
    this.#countedMs = nowMs;
  }

  #savedBytes(): number {
    return Math.max(savedBytesMin, savedMs * this.#bytesPerMs);
  }
}
