/**
 * How far a peer may send on one stream. Window tuning as in Linux's dynamic right-sizing (Fisk and Feng 2001): a window
 * that was used up within a round trip doubles. The floor is the stream's own; what is above it comes from one budget over
 * all streams, so that a crowd of stalled readers cannot fill the memory.
 */
import { creditFloorBytes, creditWindowBytesFirst, creditWindowBytesMax, receiveReserveShare } from './limits.ts';

/** Shared by all receiving streams of an engine. */
export class CreditBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get freeBytes(): number {
    return this.#limitBytes - this.#usedBytes;
  }

  /** Takes up to `bytes`; returns what was granted. A single stream never gets more than a quarter of what is free. */
  take(bytes: number): number {
    const granted = Math.max(0, Math.min(bytes, Math.floor(this.freeBytes / 4)));
    this.#usedBytes += granted;
    return granted;
  }

  /**
   * The same for a stream of which nothing is known yet. Credit once granted cannot be taken back, so a crowd of streams that
   * never use theirs must not leave the next download without any.
   */
  takeFirst(bytes: number): number {
    const reserve = this.#limitBytes * receiveReserveShare;
    return this.take(Math.min(bytes, Math.max(0, Math.floor(this.freeBytes - reserve))));
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** After this long without use a window falls back to the floor, ms. */
const idleMs = 1_000;

export class CreditWindow {
  readonly #budget: CreditBudget;
  /** The stream's own, outside the budget, bytes. */
  readonly #floorBytes: number;
  #windowBytes: number;
  #limit: number;
  #roundStartMs = 0;
  #roundStartOffset = 0;
  #usedMs = 0;
  #grownMs = -Infinity;

  constructor(budget: CreditBudget, nowMs: number, floorBytes: number = creditFloorBytes) {
    this.#budget = budget;
    this.#floorBytes = floorBytes;
    this.#roundStartMs = nowMs;
    this.#usedMs = nowMs;
    this.#windowBytes = floorBytes + budget.takeFirst(creditWindowBytesFirst - floorBytes);
    this.#limit = this.#windowBytes;
  }

  /** Offset up to which the peer may send, as last granted. */
  get limit(): number {
    return this.#limit;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /**
   * The local peer has consumed up to `consumed`. Returns true when a new limit is worth telling: a quarter of the
   * window has been used since.
   */
  consume(consumed: number, rttMs: number, nowMs: number): boolean {
    if (consumed > this.#roundStartOffset) this.#usedMs = nowMs;
    const used = consumed - this.#roundStartOffset;
    if (nowMs - this.#roundStartMs >= Math.max(rttMs, 1)) {
      if (used * 2 > this.#windowBytes) this.#grow(Math.min(this.#windowBytes * 2, creditWindowBytesMax));
      this.#roundStartMs = nowMs;
      this.#roundStartOffset = consumed;
    }
    const wanted = consumed + this.#windowBytes;
    if (wanted - this.#limit < this.#windowBytes / 4) return false;
    this.#limit = wanted;
    return true;
  }

  /**
   * The peer has sent up to `highest`, in order or not. Where more than half of the window is in use the limit moves up at
   * once, at most once a round trip: what is behind a hole must not stop the lines. Returns true when it did.
   */
  receive(highest: number, rttMs: number, nowMs: number): boolean {
    if (this.#limit - highest >= this.#windowBytes / 2 || nowMs - this.#grownMs < rttMs) return false;
    const before = this.#windowBytes;
    this.#grow(Math.min(before * 2, creditWindowBytesMax));
    if (this.#windowBytes === before) return false;
    this.#grownMs = nowMs;
    this.#limit += this.#windowBytes - before;
    return true;
  }

  /**
   * Gives back what an idle stream does not use; credit the peer was already given stands until it is used. Returns false
   * while the stream is not idle.
   */
  rest(consumed: number, nowMs: number): boolean {
    if (nowMs - this.#usedMs < idleMs) return false;
    const keep = Math.max(this.#floorBytes, this.#limit - consumed);
    if (keep < this.#windowBytes) {
      this.#budget.give(this.#windowBytes - keep);
      this.#windowBytes = keep;
    }
    return true;
  }

  release(): void {
    this.#budget.give(this.#windowBytes - this.#floorBytes);
    this.#windowBytes = this.#floorBytes;
  }

  #grow(target: number): void {
    if (target > this.#windowBytes) this.#windowBytes += this.#budget.take(target - this.#windowBytes);
  }
}
