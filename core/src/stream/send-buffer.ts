/**
 * What a stream's local peer gave us and the other end has not acknowledged: bytes [base, end). Chunks are cut from the
 * front of what was never sent; a lost chunk goes again with the same boundaries.
 */
import { assert, NumberedQueue, type Parts, type Slab, type SlabPool } from '@tresse/kit';

import { Chunk } from './chunk.ts';
import type { Stream } from './stream.ts';

interface Segment {
  readonly slab: Slab;
  readonly offset: number;
  filled: number;
}

/** Streams that have carried this much read in large pieces. */
const largeFromBytes = 131_072;
const smallRead = 16_384;
const largeRead = 65_536;
/** A segment with less room than this is not read into again. */
const readWorthwhile = 4_096;

/** What {@link SendBuffer.reserve} says. */
const reserved: { slab: Slab; start: number; room: number } = {
  slab: { bytes: new Uint8Array(0), address: 0 },
  start: 0,
  room: 0,
};

export class SendBuffer {
  readonly #pool: SlabPool;
  readonly #segments: Segment[] = [];
  readonly #chunks = new NumberedQueue<Chunk>();
  readonly #lost: Chunk[] = [];
  #base = 0;
  #next = 0;
  #end = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Lowest byte not acknowledged. */
  get base(): number {
    return this.#base;
  }

  /** First byte never sent. */
  get next(): number {
    return this.#next;
  }

  /** One past the last byte given. */
  get end(): number {
    return this.#end;
  }

  get heldBytes(): number {
    return this.#end - this.#base;
  }

  get unsentBytes(): number {
    return this.#end - this.#next;
  }

  get chunksOutstanding(): number {
    return this.#chunks.length;
  }

  /** The oldest chunk not acknowledged: what delivery waits for. */
  get head(): Chunk | undefined {
    return this.#chunks.at(0);
  }

  /** The i-th oldest chunk that is kept; some behind the head may be acknowledged. */
  chunkAt(i: number): Chunk | undefined {
    return this.#chunks.at(i);
  }

  get hasLost(): boolean {
    return this.#lost.length > 0;
  }

  /**
   * Memory to receive into: at [start, start + room) of the slab; say how much came with {@link commit}. The answer is the
   * same object every time, of whatever buffer: it is good until the next question. `mayGoBytes` is what the peer's credit lets
   * go: a large slab for less would stay half empty for as long as its reader stands still.
   */
  reserve(mayGoBytes: number = Infinity): Readonly<typeof reserved> {
    let last = this.#segments.at(-1);
    if (!last || last.slab.bytes.length - last.filled < readWorthwhile) {
      const slab = this.#pool.take(this.#end >= largeFromBytes && mayGoBytes >= largeRead ? largeRead : smallRead);
      last = { slab, offset: this.#end, filled: 0 };
      this.#segments.push(last);
    }
    reserved.slab = last.slab;
    reserved.start = last.filled;
    reserved.room = last.slab.bytes.length - last.filled;
    return reserved;
  }

  commit(length: number): void {
    const last = this.#segments.at(-1);
    assert(last !== undefined && last.filled + length <= last.slab.bytes.length, 'commit follows reserve');
    last.filled += length;
    this.#end += length;
    if (last.filled === 0) this.#dropTail();
  }

  /** Cuts the next chunk from what was never sent. */
  cut(stream: Stream, length: number): Chunk {
    assert(length > 0 && length <= this.unsentBytes, 'a chunk holds bytes that were given');
    const chunk = new Chunk(stream, this.#next, length);
    this.#next += length;
    this.#chunks.push(chunk.offset, chunk);
    return chunk;
  }

  /** Adds a chunk's bytes to a record's parts. They stay where they are until it is acknowledged. */
  locate(chunk: Chunk, parts: Parts): void {
    let offset = chunk.offset;
    const end = chunk.offset + chunk.length;
    for (let i = this.#segmentOf(offset); offset < end; i++) {
      const segment = this.#segments[i];
      assert(segment !== undefined, 'a kept chunk has its bytes');
      const from = offset - segment.offset;
      const take = Math.min(end - offset, segment.filled - from);
      parts.add(segment.slab, from, take);
      offset += take;
    }
  }

  /** Puts a chunk back: it goes again, before new bytes, in the order of offsets. */
  lose(chunk: Chunk): void {
    if (chunk.acked || chunk.lost) return;
    chunk.lost = true;
    let at = this.#lost.length;
    while (at > 0 && (this.#lost[at - 1]?.offset ?? 0) > chunk.offset) at--;
    this.#lost.splice(at, 0, chunk);
  }

  /** The lost chunk with the lowest offset; acknowledged ones are forgotten on the way. */
  firstLost(): Chunk | undefined {
    while (this.#lost.length > 0) {
      const chunk = this.#lost[0];
      if (chunk && !chunk.acked) return chunk;
      this.#lost.shift();
    }
    return undefined;
  }

  /** Takes the first lost chunk out of the queue: it is being sent. */
  takeLost(): void {
    const chunk = this.#lost.shift();
    if (chunk) chunk.lost = false;
  }

  /** Marks a chunk delivered; returns true when the lowest byte moved. */
  acknowledge(chunk: Chunk): boolean {
    chunk.acked = true;
    const before = this.#base;
    for (let head = this.#chunks.at(0); head?.acked === true; head = this.#chunks.at(0)) {
      this.#base = head.offset + head.length;
      this.#chunks.shift();
    }
    if (this.#base === before) return false;
    for (let first = this.#segments[0]; first; first = this.#segments[0]) {
      const end = first.offset + first.filled;
      if (end > this.#base || end === this.#end) break;
      this.#pool.give(first.slab);
      this.#segments.shift();
    }
    if (this.#base === this.#end) this.#dropTail();
    return true;
  }

  /** Gives everything back; for the stream's end. */
  release(): void {
    for (const segment of this.#segments) this.#pool.give(segment.slab);
    this.#segments.length = 0;
    this.#chunks.clear();
    this.#lost.length = 0;
    this.#base = this.#end;
    this.#next = this.#end;
  }

  /** An idle stream holds no memory: the last segment goes when all of it is acknowledged. */
  #dropTail(): void {
    const last = this.#segments.at(-1);
    if (last && last.offset + last.filled <= this.#base) {
      this.#segments.pop();
      this.#pool.give(last.slab);
    }
  }

  #segmentOf(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.offset ?? Infinity) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
