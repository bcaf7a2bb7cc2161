/**
 * Puts packets of spread flows in order again, per bucket, so that no flow waits for another one's loss.
 *
 * A fixed wait is wrong both ways: what was lost holds everything up for all of it, and on a line far away it is too short. So
 * a gap is given up as soon as every path that carries the bucket has brought something newer: a path keeps the order, more
 * or less, and the missing packet is not coming. Where a path has gone quiet, or overtakes itself, a deadline ends the wait,
 * which follows the waits that were worth it (draft-amend-iccrg-multipath-reordering has the families of rules).
 */
import type { Slab } from '@tresse/kit';

import { FadingMax } from './fading-max.ts';
import type { PacketSlots } from './packet-slots.ts';
import { ReplayWindow } from './replay-window.ts';

/** A bucket holds packets this far ahead of the one it waits for; 300 Mbit/s over 100 ms and more. */
const windowPackets = 4_096;
/** A path that has brought nothing of a bucket for so long carries none of it, ms. */
const activeMs = 500;
/** Bounds of the deadline, and what it is at first, ms. */
const waitMsMin = 10;
const waitMsMax = 300;
const waitMsFirst = 100;
/** A wait that was worth it counts with so much more, and is forgotten by half in so many ms. */
const waitGain = 1.5;
const waitHalfLifeMs = 5_000;
/** Packets of one path overtake each other: once all paths have brought newer ones the gap stays open for so long, ms. */
const overtakeMsMax = 50;
/** A bucket of which nothing was heard for so long is forgotten, ms. */
const forgetMs = 30_000;

/** Where packets go: at once, in the caller's turn. */
export type Deliver = (slab: Slab, start: number, length: number) => void;

interface Bucket {
  /** Numbers that came, with the wrapping undone. */
  readonly seen: ReplayWindow;
  /** The first number not delivered and not given up. */
  next: number;
  /** By number modulo the window: the place of a packet that waits, or -1. */
  held: Int32Array | undefined;
  count: number;
  /** Since when the gap at {@link next} is known, ms. */
  gapMs: number;
  /** Places of what waits, by the time it came: the ends of a list; -1: none. */
  oldest: number;
  youngest: number;
  /** Highest number each path has brought, and when. */
  readonly newest: Map<number, { number: number; atMs: number }>;
  usedMs: number;
}

export class Resequencer {
  readonly #slots: PacketSlots;
  readonly #deliver: Deliver;
  readonly #buckets: Map<number, Bucket> = new Map();
  /** Buckets that hold something. */
  readonly #waiting: Set<Bucket> = new Set();
  /** Neighbours in the lists of what waits, by place. */
  readonly #older: Int32Array;
  readonly #younger: Int32Array;
  /** Waits that were worth it, ms. */
  readonly #wait: FadingMax = new FadingMax(waitMsFirst, waitHalfLifeMs);
  /** How late packets were that a newer one of their own path had overtaken, ms. */
  readonly #overtake: FadingMax = new FadingMax(0, waitHalfLifeMs);
  /** Delivered behind a newer one of their bucket, given up, and thrown away as copies. */
  late = 0;
  givenUp = 0;
  copies = 0;

  constructor(slots: PacketSlots, deliver: Deliver) {
    this.#slots = slots;
    this.#deliver = deliver;
    this.#older = new Int32Array(slots.count);
    this.#younger = new Int32Array(slots.count);
  }

  /** Packets that wait for one before them. */
  get held(): number {
    let sum = 0;
    for (const bucket of this.#waiting) sum += bucket.count;
    return sum;
  }

  /** How long a gap may stay open now, ms. */
  deadlineMs(nowMs: number): number {
    return Math.min(waitMsMax, Math.max(waitMsMin, waitGain * this.#wait.get(nowMs), this.#overtakeMs(nowMs)));
  }

  /** When {@link tick} is due: the soonest deadline; Infinity while nothing waits. */
  nextMs(nowMs: number): number {
    let soonest = Infinity;
    for (const bucket of this.#waiting) soonest = Math.min(soonest, this.#dueMs(bucket, nowMs));
    return soonest;
  }

  /**
   * Takes a packet of a bucket from a path: delivers it, and what waited for it, or keeps it, or throws it away as a copy. One
   * that need not be in order (`ordered` false) is delivered at once, unless it is a copy.
   */
  take(
    path: number,
    bucketNumber: number,
    sequence: number,
    ordered: boolean,
    slab: Slab,
    start: number,
    length: number,
    nowMs: number,
  ): void {
    const bucket = this.#bucket(bucketNumber, sequence, nowMs);
    const number = unwrapped(sequence, bucket.seen.highest);
    this.#note(bucket, path, number, nowMs);
    if (number < 0 || !bucket.seen.fresh(number)) {
      this.copies++;
      return;
    }
    bucket.seen.mark(number);
    if (number < bucket.next) {
      this.late++;
      this.#learnLate(bucket, nowMs);
      this.#deliver(slab, start, length);
    } else if (!ordered && bucket.count === 0) {
      bucket.next = number + 1;
      this.#deliver(slab, start, length);
      return;
    } else if (number === bucket.next) {
      this.#deliver(slab, start, length);
      if (bucket.count > 0) this.#wait.raise(Math.min(nowMs - bucket.gapMs, waitMsMax), nowMs);
      bucket.next++;
      this.#drain(bucket);
    } else this.#hold(bucket, number, slab, start, length, nowMs);
    if (bucket.count > 0) this.#giveUp(bucket, nowMs);
  }

  /** Gives up gaps whose time is over, and forgets what nobody uses. */
  tick(nowMs: number): void {
    for (const bucket of this.#waiting) this.#giveUp(bucket, nowMs);
    for (const [number, bucket] of this.#buckets) {
      if (nowMs - bucket.usedMs < forgetMs) break;
      this.#buckets.delete(number);
    }
  }

  /** Delivers all that waits, in order: the session ends. */
  flush(): void {
    for (const bucket of this.#waiting) {
      while (bucket.count > 0) this.#skip(bucket);
    }
  }

  #bucket(number: number, sequence: number, nowMs: number): Bucket {
    let bucket = this.#buckets.get(number);
    if (bucket && nowMs - bucket.usedMs < 1_000) {
      bucket.usedMs = nowMs;
      return bucket;
    }
    bucket ??= {
      seen: new ReplayWindow(),
      next: sequence,
      held: undefined,
      count: 0,
      gapMs: 0,
      oldest: -1,
      youngest: -1,
      newest: new Map(),
      usedMs: nowMs,
    };
    bucket.usedMs = nowMs;
    // The longest unused first: forgetting looks at these only.
    this.#buckets.delete(number);
    this.#buckets.set(number, bucket);
    return bucket;
  }

  #note(bucket: Bucket, path: number, number: number, nowMs: number): void {
    const newest = bucket.newest.get(path);
    if (!newest) bucket.newest.set(path, { number, atMs: nowMs });
    else {
      newest.number = Math.max(newest.number, number);
      newest.atMs = nowMs;
    }
  }

  #hold(bucket: Bucket, number: number, slab: Slab, start: number, length: number, nowMs: number): void {
    while (number - bucket.next >= windowPackets && bucket.count > 0) this.#skip(bucket);
    const slot = number - bucket.next >= windowPackets ? -1 : this.#slots.store(slab.bytes, start, length, nowMs);
    if (slot < 0) {
      // No room: what waits goes first, so that at least the order is kept.
      while (bucket.count > 0) this.#skip(bucket);
      this.givenUp += Math.max(0, number - bucket.next);
      bucket.next = number + 1;
      this.#deliver(slab, start, length);
      return;
    }
    keepAt(bucket, number, slot);
    this.#join(bucket, slot);
    if (bucket.count++ === 0) {
      bucket.gapMs = nowMs;
      this.#waiting.add(bucket);
    }
  }

  /** Delivers what follows without a gap. */
  #drain(bucket: Bucket): void {
    while (bucket.count > 0) {
      const slot = heldAt(bucket, bucket.next);
      if (slot < 0) {
        bucket.gapMs = this.#firstHeldMs(bucket);
        return;
      }
      keepAt(bucket, bucket.next, -1);
      this.#leave(bucket, slot);
      bucket.count--;
      bucket.next++;
      this.#deliver(this.#slots.slab, this.#slots.startOf(slot), this.#slots.lengthOf(slot));
      this.#slots.give(slot);
    }
    this.#waiting.delete(bucket);
  }

  /** Gives the gap up that holds the rest back. */
  #skip(bucket: Bucket): void {
    while (heldAt(bucket, bucket.next) < 0) {
      bucket.next++;
      this.givenUp++;
    }
    this.#drain(bucket);
  }

  #giveUp(bucket: Bucket, nowMs: number): void {
    while (bucket.count > 0 && this.#dueMs(bucket, nowMs) <= nowMs) this.#skip(bucket);
  }

  /** When the gap is given up, ms: nothing waits longer than the deadline, however many gaps there are before it; and next to nothing is waited for once no path can bring it any more. */
  #dueMs(bucket: Bucket, nowMs: number): number {
    const dueMs = this.#slots.timeOf(bucket.oldest) + this.deadlineMs(nowMs);
    return this.#passed(bucket, nowMs) ? Math.min(dueMs, bucket.gapMs + this.#overtakeMs(nowMs)) : dueMs;
  }

  /** Every path that carries the bucket has brought something newer. */
  #passed(bucket: Bucket, nowMs: number): boolean {
    // What is spread takes two paths at least: the other one has only been slower so far.
    if (bucket.newest.size < 2) return false;
    for (const newest of bucket.newest.values()) {
      if (newest.number <= bucket.next && nowMs - newest.atMs <= activeMs) return false;
    }
    return true;
  }

  /** The youngest of what waits. */
  #join(bucket: Bucket, slot: number): void {
    this.#older[slot] = bucket.youngest;
    this.#younger[slot] = -1;
    if (bucket.youngest < 0) bucket.oldest = slot;
    else this.#younger[bucket.youngest] = slot;
    bucket.youngest = slot;
  }

  #leave(bucket: Bucket, slot: number): void {
    const older = this.#older[slot] ?? -1;
    const younger = this.#younger[slot] ?? -1;
    if (older < 0) bucket.oldest = younger;
    else this.#younger[older] = younger;
    if (younger < 0) bucket.youngest = older;
    else this.#older[younger] = older;
  }

  #firstHeldMs(bucket: Bucket): number {
    for (let number = bucket.next; ; number++) {
      const slot = heldAt(bucket, number);
      if (slot >= 0) return this.#slots.timeOf(slot);
    }
  }

  /** One came that had been given up: paths overtake themselves, or the deadline is too short. */
  #learnLate(bucket: Bucket, nowMs: number): void {
    const missedMs = nowMs - bucket.gapMs;
    if (missedMs > waitMsMax) return;
    this.#overtake.raise(missedMs, nowMs);
    this.#wait.raise(missedMs, nowMs);
  }

  #overtakeMs(nowMs: number): number {
    return Math.min(overtakeMsMax, waitGain * this.#overtake.get(nowMs));
  }
}

/** The place of a packet that waits, by its number; -1: it does not. */
const heldAt = (bucket: Bucket, number: number): number => bucket.held?.[number % windowPackets] ?? -1;

function keepAt(bucket: Bucket, number: number, slot: number): void {
  bucket.held ??= new Int32Array(windowPackets).fill(-1);
  bucket.held[number % windowPackets] = slot;
}

/** The number whose low 32 bits are given, next to the highest so far. */
function unwrapped(sequence: number, highest: number): number {
  return highest < 0 ? sequence : highest + ((sequence - highest) | 0);
}
