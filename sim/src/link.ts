import { assert, type Prng } from '@tresse/kit';

import { Jitter } from './link-jitter.ts';
import { checkedSpec, type DirectionSpec, queueLimitBytes } from './link-spec.ts';
import { Strays } from './link-strays.ts';

/** What became of the packets offered to one direction. Offered = delivered + dropped + held. */
export interface LinkCounters {
  offeredPackets: number;
  offeredBytes: number;
  deliveredPackets: number;
  deliveredBytes: number;
  /** The queue was full. */
  queueDrops: number;
  /** Random loss on the wire. */
  lossDrops: number;
  /** Offered while the line was cut, or held by it at that moment. */
  cutDrops: number;
  /** Larger than what passes the line. */
  holeDrops: number;
}

/**
 * One direction of a line: a drop-tail queue, a transmitter of a given rate, a wire of a given delay. It holds no packets,
 * only their sizes and times; a packet is known by its number (0, 1, 2, ... of those accepted), under which the driver keeps
 * the content. Numbers arrive in order, lost ones are skipped, strays come later than their turn; whatever is below `oldest`
 * may be forgotten.
 *
 *      offer -> [ waiting | sending ]--- on the wire --->  poll
 *         turn <= ... on the wire ... < sending < ... waiting ... < next
 *
 * Everything is computed from the times given, at the moment it is asked for: how often and how late the driver polls changes
 * no arrival time and no loss. A change of rate takes hold in the middle of a packet; a change of delay holds for packets
 * not yet sent. Nothing is allocated per packet.
 */
export class Link {
  readonly counters: LinkCounters = {
    offeredPackets: 0,
    offeredBytes: 0,
    deliveredPackets: 0,
    deliveredBytes: 0,
    queueDrops: 0,
    lossDrops: 0,
    cutDrops: 0,
    holeDrops: 0,
  };
  readonly #prng: Prng;
  readonly #jitter: Jitter;
  #spec: DirectionSpec;
  #isCut = false;
  #nowMs = -Infinity;
  readonly #strays = new Strays();
  /** The lowest number that has neither arrived, nor strayed, nor been lost. */
  #turn = 0;
  #sending = 0;
  #next = 0;
  #sendingEndsMs = 0;
  #waitingBytes = 0;
  #lastArrivalMs = -Infinity;
  #arrivedAtMs = 0;
  #bytes = new Float64Array(64);
  /** Valid from the end of transmission on; `gone` for a packet that never arrives in its turn. */
  #arrivalMs = new Float64Array(64);

  /** Throws UserError for a spec that cannot be. */
  constructor(spec: DirectionSpec, prng: Prng) {
    this.#spec = checkedSpec(spec);
    this.#prng = prng;
    this.#jitter = new Jitter(prng);
  }

  get spec(): DirectionSpec {
    return this.#spec;
  }

  /** The lowest number still held; equal to `next` when nothing is. */
  get oldest(): number {
    return Math.min(this.#turn, this.#strays.firstNumber);
  }

  /** The number the next accepted packet gets. */
  get next(): number {
    return this.#next;
  }

  /** Bytes accepted whose transmission has not begun, as of the latest call with a time. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** When the packet polled last was due, ms. */
  get arrivedAtMs(): number {
    return this.#arrivedAtMs;
  }

  /** When to poll next, ms: the earliest time the next packet can arrive; Infinity while nothing is held. */
  get nextAtMs(): number {
    return Math.min(this.#strays.firstAtMs, this.#turnAtMs());
  }

  /** Takes a packet of `bytes` IP bytes; returns its number, or -1 when it is dropped at once. */
  offer(bytes: number, nowMs: number): number {
    this.#advance(nowMs);
    this.counters.offeredPackets++;
    this.counters.offeredBytes += bytes;
    if (this.#isCut) {
      this.counters.cutDrops++;
      return -1;
    }
    if (bytes > (this.#spec.holeBytes ?? Infinity)) {
      this.counters.holeDrops++;
      return -1;
    }
    const idle = this.#sending === this.#next;
    if (!idle && this.#waitingBytes + bytes > queueLimitBytes(this.#spec)) {
      this.counters.queueDrops++;
      return -1;
    }
    if (this.#next - this.oldest === this.#bytes.length) this.#grow();
    const number = this.#next++;
    this.#bytes[number & (this.#bytes.length - 1)] = bytes;
    if (idle) this.#sendingEndsMs = this.#nowMs + this.#sendMs(bytes);
    else this.#waitingBytes += bytes;
    return number;
  }

  /** The number of the next packet that has arrived by `nowMs`, or -1. Call until -1. */
  poll(nowMs: number): number {
    this.#advance(nowMs);
    const strayAtMs = this.#strays.firstAtMs;
    const turnAtMs = this.#turn === this.#sending ? Infinity : this.#arrivalOf(this.#turn);
    const arrivalMs = Math.min(strayAtMs, turnAtMs);
    if (arrivalMs > this.#nowMs) return -1;
    let number = this.#turn;
    if (strayAtMs < turnAtMs) {
      number = this.#strays.firstNumber;
      this.#strays.shift();
    } else this.#turn++;
    this.#arrivedAtMs = arrivalMs;
    this.counters.deliveredPackets++;
    this.counters.deliveredBytes += this.#bytesOf(number);
    this.#skipGone();
    return number;
  }

  /** Changes some of the line's properties from now on. Throws UserError for a spec that cannot be. */
  set(change: Partial<DirectionSpec>, nowMs: number): void {
    const spec = checkedSpec({ ...this.#spec, ...change });
    this.#advance(nowMs);
    if (this.#sending < this.#next) {
      const remainingMs = this.#sendingEndsMs - this.#nowMs;
      this.#sendingEndsMs = this.#nowMs + (remainingMs * this.#spec.rateBps) / spec.rateBps;
    }
    this.#spec = spec;
  }

  /** The line goes silent: what it holds and what it is offered is lost. What has arrived by now should be polled before. */
  cut(nowMs: number): void {
    this.#advance(nowMs);
    this.#isCut = true;
    this.counters.cutDrops += this.heldPackets();
    this.#strays.clear();
    this.#turn = this.#next;
    this.#sending = this.#next;
    this.#waitingBytes = 0;
  }

  /** Undoes a cut; the queue begins empty. */
  restore(): void {
    this.#isCut = false;
  }

  /** Packets waiting, in transmission or on the wire that will still arrive or be lost. */
  heldPackets(): number {
    let held = this.#strays.count;
    for (let number = this.#turn; number < this.#next; number++) {
      if (number >= this.#sending || this.#arrivalOf(number) !== gone) held++;
    }
    return held;
  }

  /** Moves packets whose last bit has left by now from the transmitter to the wire. */
  #advance(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
    while (this.#sending < this.#next && this.#sendingEndsMs <= this.#nowMs) {
      const sentMs = this.#sendingEndsMs;
      this.#arrivalMs[this.#sending & (this.#arrivalMs.length - 1)] = this.#fate(this.#sending, sentMs);
      this.#sending++;
      if (this.#sending < this.#next) {
        const bytes = this.#bytesOf(this.#sending);
        this.#waitingBytes -= bytes;
        this.#sendingEndsMs = sentMs + this.#sendMs(bytes);
      }
    }
    this.#skipGone();
  }

  /** When a packet sent at this time arrives in its turn, or `gone`. */
  #fate(number: number, sentMs: number): number {
    const spec = this.#spec;
    if (spec.lossRatio > 0 && this.#prng.chance(spec.lossRatio)) {
      this.counters.lossDrops++;
      return gone;
    }
    const arrivalMs = sentMs + spec.delayMs + this.#jitter.at(sentMs, spec.jitterMs);
    const { reorderRatio = 0, reorderMs = 0 } = spec;
    if (reorderRatio > 0 && reorderMs > 0 && this.#prng.chance(reorderRatio)) {
      this.#strays.add(number, arrivalMs + reorderMs);
      return gone;
    }
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs);
    return this.#lastArrivalMs;
  }

  #skipGone(): void {
    while (this.#turn < this.#sending && this.#arrivalOf(this.#turn) === gone) this.#turn++;
  }

  /** When the packet whose turn it is can arrive at the earliest. */
  #turnAtMs(): number {
    if (this.#turn === this.#next) return Infinity;
    if (this.#turn < this.#sending) return this.#arrivalOf(this.#turn);
    return this.#sendingEndsMs + this.#spec.delayMs;
  }

  #sendMs(bytes: number): number {
    return (bytes * 8_000) / this.#spec.rateBps;
  }

  #bytesOf(number: number): number {
    return this.#bytes[number & (this.#bytes.length - 1)] ?? 0;
  }

  #arrivalOf(number: number): number {
    return this.#arrivalMs[number & (this.#arrivalMs.length - 1)] ?? gone;
  }

  #grow(): void {
    const size = this.#bytes.length;
    assert(size < 1 << 24, 'a link holds fewer than 2^24 packets');
    const bytes = new Float64Array(size * 2);
    const arrivalMs = new Float64Array(size * 2);
    for (let number = this.oldest; number < this.#next; number++) {
      bytes[number & (size * 2 - 1)] = this.#bytesOf(number);
      arrivalMs[number & (size * 2 - 1)] = this.#arrivalOf(number);
    }
    this.#bytes = bytes;
    this.#arrivalMs = arrivalMs;
  }
}

/** Instead of an arrival time: lost, or among the strays. */
const gone = -Infinity;
