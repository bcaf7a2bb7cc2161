/**
 * How far a peer may send on one stream. Window tuning as in Linux's dynamic right-sizing (Fisk and Feng 2001): a window
 * that was used up within a round trip doubles. The floor is the stream's own; what is above it comes from one budget over
 * all streams, so that a crowd of stalled readers cannot fill the memory.
 */
import { creditFloorBytes, creditWindowBytesFirst, creditWindowBytesMax, receiveReserveShare } from '../limits.ts';

/** Shared by all receiving streams of a session: what their windows have above their floors, bytes. */
export class CreditBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;
  /** Of that, in windows that are not used now. */
  #restingBytes = 0;
  #busy = 0;
  #shortUntilMs = -Infinity;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get freeBytes(): number {
    return this.#limitBytes - this.#usedBytes;
  }

  /** An equal share of what no idle window holds, bytes. */
  get fairBytes(): number {
    return Math.max(0, this.#limitBytes - this.#restingBytes) / Math.max(1, this.#busy);
  }

  /**
   * A new window, which rests; returns what was granted. Credit once granted cannot be taken back, so a crowd of streams that
   * never use theirs must not leave the next download without any.
   */
  enter(bytes: number): number {
    const reserve = this.#limitBytes * receiveReserveShare;
    return this.take(Math.min(bytes, Math.max(0, Math.floor(this.freeBytes - reserve))), true);
  }

  /** A window that had so much is gone. */
  leave(bytes: number, resting: boolean): void {
    this.give(bytes, resting);
    if (!resting) this.#busy--;
  }

  /** Takes up to `bytes`; returns what was granted. A single stream never gets more than a quarter of what is free. */
  take(bytes: number, resting: boolean): number {
    const granted = Math.max(0, Math.min(bytes, Math.floor(this.freeBytes / 4)));
    this.#usedBytes += granted;
    if (resting) this.#restingBytes += granted;
    return granted;
  }

  give(bytes: number, resting: boolean): void {
    this.#usedBytes -= bytes;
    if (resting) this.#restingBytes -= bytes;
  }

  /** A window that has so much is not used any more. */
  rest(bytes: number): void {
    this.#restingBytes += bytes;
    this.#busy--;
  }

  /** A window that rested is used again. */
  wake(bytes: number): void {
    this.#restingBytes -= bytes;
    this.#busy++;
  }

  /** Somebody who has less than a fair share wants more, and there is too little. */
  lack(nowMs: number): void {
    this.#shortUntilMs = nowMs + shortMs;
  }

  /** What a window that is used may have now, bytes: its fair share while somebody lacks his. */
  share(nowMs: number): number {
    return nowMs < this.#shortUntilMs ? this.fairBytes : Infinity;
  }
}

/** Windows are held to their share for so long after somebody lacked his, ms: a few of the longest round trips. */
const shortMs = 2_000;
/** After this long without use a window falls back to the floor, ms. */
const idleMs = 1_000;

export class CreditWindow {
  readonly #budget: CreditBudget;
  /** The stream's own, outside the budget, bytes. */
  readonly #floorBytes: number;
  #windowBytes: number;
  #limit: number;
  /** What the local peer has. */
  #consumed = 0;
  /** It is not used, or not yet. */
  #resting = true;
  #released = false;
  #roundStartMs = 0;
  #roundStartOffset = 0;
  #usedMs = 0;
  #grownMs = -Infinity;

  constructor(budget: CreditBudget, nowMs: number, floorBytes: number = creditFloorBytes) {
    this.#budget = budget;
    this.#floorBytes = floorBytes;
    this.#roundStartMs = nowMs;
    this.#usedMs = nowMs;
    this.#windowBytes = floorBytes + budget.enter(creditWindowBytesFirst - floorBytes);
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
    if (consumed > this.#consumed) {
      this.#consumed = consumed;
      this.#usedMs = nowMs;
      this.#wake();
    }
    const used = consumed - this.#roundStartOffset;
    if (nowMs - this.#roundStartMs >= Math.max(rttMs, 1)) {
      if (used * 2 > this.#windowBytes) this.#grow(nowMs);
      this.#roundStartMs = nowMs;
      this.#roundStartOffset = consumed;
    }
    this.#fallTo(this.#budget.share(nowMs));
    const wanted = consumed + this.#windowBytes;
    if (wanted - this.#limit < this.#windowBytes / 4) return false;
    this.#limit = wanted;
    return true;
  }

  /**
   * The peer has sent up to `highest`, of which the local peer was given all up to `next`. Where more than half of the window
   * is in use, and a hole is why, the limit moves up at once, at most once a round trip: what is behind a hole must not stop the
   * lines. A reader that stands still is given nothing more. Returns true when it did.
   */
  receive(highest: number, next: number, rttMs: number, nowMs: number): boolean {
    if (this.#limit - highest >= this.#windowBytes / 2 || nowMs - this.#grownMs < rttMs) return false;
    if (2 * (highest - next) < highest - this.#consumed) return false;
    const before = this.#windowBytes;
    this.#grow(nowMs);
    if (this.#windowBytes === before) return false;
    this.#grownMs = nowMs;
    this.#limit += this.#windowBytes - before;
    return true;
  }

  /**
   * Gives back what an idle stream does not use; what the peer was granted and the local peer does not have stands. Returns
   * false while the stream is not idle.
   */
  rest(nowMs: number): boolean {
    if (nowMs - this.#usedMs < idleMs) return false;
    this.#fallTo(0);
    if (!this.#resting && !this.#released) this.#budget.rest(this.#aboveFloor);
    this.#resting = true;
    return true;
  }

  release(): void {
    if (this.#released) return;
    this.#budget.leave(this.#aboveFloor, this.#resting);
    this.#released = true;
    this.#windowBytes = this.#floorBytes;
  }

  get #aboveFloor(): number {
    return this.#windowBytes - this.#floorBytes;
  }

  #wake(): void {
    if (this.#resting && !this.#released) this.#budget.wake(this.#aboveFloor);
    this.#resting = false;
  }

  /** Doubles, as far as the budget goes, and the fair share where somebody lacks his. */
  #grow(nowMs: number): void {
    const most = Math.min(this.#windowBytes * 2, creditWindowBytesMax, this.#floorBytes + this.#budget.share(nowMs));
    const wanted = Math.floor(most - this.#windowBytes);
    if (wanted <= 0 || this.#released) return;
    const granted = this.#budget.take(wanted, this.#resting);
    this.#windowBytes += granted;
    if (granted < wanted && this.#aboveFloor < this.#budget.fairBytes / 2) this.#budget.lack(nowMs);
  }

  /** Down to so much above the floor. What the peer was granted cannot be taken back: once used it is not granted again. */
  #fallTo(bytes: number): void {
    const keep = Math.max(this.#floorBytes + Math.ceil(bytes), this.#limit - this.#consumed);
    if (keep >= this.#windowBytes) return;
    this.#budget.give(this.#windowBytes - keep, this.#resting);
    this.#windowBytes = keep;
  }
}
