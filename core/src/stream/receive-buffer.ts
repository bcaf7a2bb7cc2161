import type { Slab, SlabPool } from '@tresse/kit';

/**
 * Puts a stream's pieces in order: they come on any strand, in any order, twice. In-order bytes go straight to the local
 * peer from the record's own memory; the rest is copied and waits. On overlap the first copy wins.
 */
import { pieceCostBytesMin } from '../limits.ts';

interface Piece {
  offset: number;
  length: number;
  readonly slab: Slab;
  start: number;
}

/** Takes in-order bytes; returns how many. Fewer than offered means: not now. */
export type Deliver = (slab: Slab, start: number, length: number) => number;

export class ReceiveBuffer {
  readonly #pool: SlabPool;
  readonly #pieces: Piece[] = [];
  #next = 0;
  #heldBytes = 0;
  #costBytes = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** First byte the local peer has not taken. */
  get next(): number {
    return this.#next;
  }

  /** Bytes wait in order: the local peer takes no more for now. */
  get waits(): boolean {
    return this.#pieces[0]?.offset === this.#next;
  }

  /** Bytes kept, in order or not. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What the pieces cost in credit: small ones more than their bytes. */
  get costBytes(): number {
    return this.#costBytes;
  }

  /** Accepts [offset, offset + length); what is already known is dropped. Returns the count of new bytes. */
  accept(offset: number, slab: Slab, start: number, length: number, deliver: Deliver): number {
    const end = offset + length;
    if (end <= this.#next || length === 0) return 0;
    let from = Math.max(offset, this.#next);
    let fresh = 0;
    if (from === this.#next && (this.#pieces[0]?.offset ?? Infinity) >= end) {
      const taken = deliver(slab, start + from - offset, end - from);
      fresh = end - from;
      this.#next += taken;
      from += taken;
      if (from < end) this.#store(0, from, slab, start + from - offset, end - from);
    } else {
      fresh = this.#fillHoles(offset, from, end, slab, start);
    }
    this.drain(deliver);
    return fresh;
  }

  /** Hands on what is in order; call again when the local peer has room. */
  drain(deliver: Deliver): void {
    let done = 0;
    for (let piece = this.#pieces[0]; piece?.offset === this.#next; piece = this.#pieces[done]) {
      const taken = deliver(piece.slab, piece.start, piece.length);
      this.#next += taken;
      this.#heldBytes -= taken;
      if (taken < piece.length) {
        this.#costBytes += cost(piece.length - taken) - cost(piece.length);
        piece.offset += taken;
        piece.start += taken;
        piece.length -= taken;
        break;
      }
      this.#costBytes -= cost(piece.length);
      this.#pool.give(piece.slab);
      done++;
    }
    // Mostly it is one, and a splice makes an array of it.
    if (done === 1) this.#pieces.shift();
    else if (done > 1) this.#pieces.splice(0, done);
  }

  release(): void {
    for (const piece of this.#pieces) this.#pool.give(piece.slab);
    this.#pieces.length = 0;
    this.#heldBytes = 0;
    this.#costBytes = 0;
  }

  /** Stores the parts of [from, end) that no piece covers. */
  #fillHoles(offset: number, from: number, end: number, slab: Slab, start: number): number {
    let fresh = 0;
    let at = from;
    let index = this.#firstEndingAfter(at);
    while (at < end) {
      const piece = this.#pieces[index];
      const hole = piece ? Math.min(piece.offset, end) : end;
      if (hole > at) {
        if (this.#store(index, at, slab, start + at - offset, hole - at)) index++;
        fresh += hole - at;
      }
      if (!piece) break;
      at = Math.max(at, piece.offset + piece.length);
      index++;
    }
    return fresh;
  }

  /** Keeps a piece before the one at `index`; returns whether it is a new one, not the end of the one before. */
  #store(index: number, offset: number, slab: Slab, start: number, length: number): boolean {
    this.#heldBytes += length;
    const joined = this.#append(this.#pieces[index - 1], offset, slab, start, length);
    const left = length - joined;
    if (left === 0) return false;
    const own = this.#pool.take(left);
    own.bytes.set(slab.bytes.subarray(start + joined, start + length), 0);
    const piece = { offset: offset + joined, length: left, slab: own, start: 0 };
    if (index === this.#pieces.length) this.#pieces.push(piece);
    else this.#pieces.splice(index, 0, piece);
    this.#costBytes += cost(left);
    return true;
  }

  /**
   * Fills up the slab of the piece before, where that ends at this offset; returns how many bytes went there. A peer that writes
   * a few bytes at a time to a reader that stands still would cost a slab and 1 KiB of credit each, and slabs would stay half empty.
   */
  #append(before: Piece | undefined, offset: number, slab: Slab, start: number, length: number): number {
    if (!before || before.offset + before.length !== offset) return 0;
    const at = before.start + before.length;
    const count = Math.min(length, before.slab.bytes.length - at);
    before.slab.bytes.set(slab.bytes.subarray(start, start + count), at);
    this.#costBytes += cost(before.length + count) - cost(before.length);
    before.length += count;
    return count;
  }

  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const piece = this.#pieces[middle];
      if (piece && piece.offset + piece.length > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const cost = (length: number): number => Math.max(length, pieceCostBytesMin);
