/** A stream's local peer at one side: gives known bytes at its own pace, takes what comes at its own pace, checks it. */
import { ResetReason, type Session, type Stream } from '@tresse/core';
import { BugError, type Slab } from '@tresse/kit';

import type { Clock } from './clock.ts';
import type { Pattern } from './pattern.ts';

/** How a peer behaves. Rates in bytes per ms; Infinity: whatever is asked. */
export interface PeerSpec {
  /** Bytes it gives in all. */
  readonly bytes: number;
  readonly givesRate: number;
  /** It gives in pieces of this size. */
  readonly burstBytes: number;
  /** It begins only when the other side has ended: half-close. */
  readonly givesAfterEnd: boolean;
  readonly takesRate: number;
  /** It takes nothing between these times after its start, ms. */
  readonly stallFromMs: number;
  readonly stallToMs: number;
  /** It resets the stream once it has taken this many bytes; Infinity: never. */
  readonly resetsAtBytes: number;
  /** ... or at this time after its start, ms; Infinity: never. */
  readonly resetsAtMs: number;
}

/** What its socket takes ahead of it, bytes. */
const socketBytes = 65_536;

/** Between two bursts, ms. */
const pauseMsMin = 0.5;

/** What became of a stream at one side. */
export interface PeerOutcome {
  taken: number;
  /** When it took its first bytes; Infinity: not yet. */
  firstMs: number;
  /** When it took something last, and the longest it waited for more. */
  takenMs: number;
  gapMsMax: number;
  given: number;
  ended: boolean;
  released: boolean;
  /** Reset by the other side, with this reason. */
  reset: ResetReason | undefined;
  /** Reset by itself. */
  resets: boolean;
}

export class LocalPeer {
  readonly outcome: PeerOutcome = {
    taken: 0,
    firstMs: Infinity,
    takenMs: 0,
    gapMsMax: 0,
    given: 0,
    ended: false,
    released: false,
    reset: undefined,
    resets: false,
  };
  readonly #clock: Clock;
  readonly #session: Session;
  readonly #stream: Stream;
  readonly #spec: PeerSpec;
  readonly #gives: Pattern;
  readonly #takes: Pattern;
  readonly #pump: () => void;
  readonly #startMs: number;
  #waiting = 0;
  #drainedMs: number;
  #feedAtMs = Infinity;
  #wakeAtMs = Infinity;
  #endGiven = false;

  constructor(
    clock: Clock,
    session: Session,
    stream: Stream,
    spec: PeerSpec,
    gives: Pattern,
    takes: Pattern,
    pump: () => void,
  ) {
    this.#clock = clock;
    this.#session = session;
    this.#stream = stream;
    this.#spec = spec;
    this.#gives = gives;
    this.#takes = takes;
    this.#pump = pump;
    this.#startMs = clock.nowMs;
    this.#drainedMs = clock.nowMs;
    if (!spec.givesAfterEnd) this.#feedAt(clock.nowMs);
    if (spec.resetsAtMs !== Infinity) clock.at(clock.nowMs + spec.resetsAtMs, () => this.#reset());
  }

  get over(): boolean {
    return this.outcome.released || this.outcome.resets || this.outcome.reset !== undefined;
  }

  /** Takes in-order bytes; returns how many. */
  take(slab: Slab, start: number, length: number): number {
    const outcome = this.outcome;
    if (outcome.ended) throw new BugError('SIMULATION', `stream ${this.#stream.id}: bytes behind the end`);
    const room = this.#room();
    const count = Math.min(length, room);
    const wrong = this.#takes.mismatch(slab.bytes, start, outcome.taken, count);
    if (wrong >= 0) throw new BugError('SIMULATION', `stream ${this.#stream.id}: byte ${wrong} is wrong`);
    outcome.taken += count;
    if (count > 0) {
      const { nowMs } = this.#clock;
      outcome.firstMs = Math.min(outcome.firstMs, nowMs);
      if (outcome.taken > count) outcome.gapMsMax = Math.max(outcome.gapMsMax, nowMs - outcome.takenMs);
      outcome.takenMs = nowMs;
    }
    if (this.#spec.takesRate !== Infinity) this.#waiting += count;
    if (count < length) this.#wakeWhenDrained();
    if (outcome.taken >= this.#spec.resetsAtBytes) this.#clock.at(this.#clock.nowMs, () => this.#reset());
    return count;
  }

  /** Taken by its socket, but not by itself. */
  get unacknowledged(): number {
    this.#drain();
    return this.#waiting;
  }

  /** The other side has ended its direction. */
  end(): void {
    this.outcome.ended = true;
    if (this.#spec.givesAfterEnd) this.#feedAt(this.#clock.nowMs);
  }

  /** There is room again for what it gives. */
  room(): void {
    this.#feedAt(this.#clock.nowMs);
  }

  #reset(): void {
    if (this.over) return;
    this.outcome.resets = true;
    this.#session.resetStream(this.#stream, ResetReason.localReset, this.#clock.nowMs);
    this.#pump();
  }

  #stalledUntil(nowMs: number): number {
    const since = nowMs - this.#startMs;
    const { stallFromMs, stallToMs } = this.#spec;
    // A little later, so that rounding does not find it stalled still.
    return since >= stallFromMs && since < stallToMs ? this.#startMs + stallToMs + 0.001 : -1;
  }

  #drain(): void {
    const { nowMs } = this.#clock;
    if (this.#waiting > 0 && this.#stalledUntil(nowMs) < 0) {
      this.#waiting = Math.max(0, this.#waiting - (nowMs - this.#drainedMs) * this.#spec.takesRate);
      if (this.#waiting < 1) this.#waiting = 0;
    }
    this.#drainedMs = nowMs;
  }

  #room(): number {
    if (this.#stalledUntil(this.#clock.nowMs) >= 0 && this.#spec.takesRate === Infinity) return 0;
    if (this.#spec.takesRate === Infinity) return Infinity;
    this.#drain();
    return Math.max(0, Math.floor(socketBytes - this.#waiting));
  }

  #wakeWhenDrained(): void {
    const { nowMs } = this.#clock;
    const stalled = this.#stalledUntil(nowMs);
    const drainMs = this.#spec.takesRate === Infinity ? 0 : socketBytes / 2 / this.#spec.takesRate;
    const atMs = Math.max(nowMs, stalled) + drainMs;
    if (this.#wakeAtMs <= atMs && this.#wakeAtMs > nowMs) return;
    this.#wakeAtMs = atMs;
    this.#clock.at(atMs, () => {
      if (this.#wakeAtMs !== atMs || this.over) return;
      this.#wakeAtMs = Infinity;
      this.#session.handleLocalWritable(this.#stream, this.#clock.nowMs);
      this.#pump();
    });
  }

  #feedAt(atMs: number): void {
    if (this.#feedAtMs <= atMs) return;
    this.#feedAtMs = atMs;
    this.#clock.at(atMs, () => {
      if (this.#feedAtMs !== atMs) return;
      this.#feedAtMs = Infinity;
      this.#feed();
    });
  }

  /** Bytes its pace allows by now. */
  #allowed(nowMs: number): number {
    const { bytes, givesRate, burstBytes } = this.#spec;
    if (givesRate === Infinity) return bytes;
    const bursts = Math.floor(((nowMs - this.#startMs) * givesRate) / burstBytes + 1e-9) + 1;
    return Math.min(bytes, bursts * burstBytes);
  }

  #feed(): void {
    const session = this.#session;
    const stream = this.#stream;
    const outcome = this.outcome;
    const { nowMs } = this.#clock;
    const { bytes, givesRate } = this.#spec;
    if (this.over || this.#endGiven) return;
    const allowed = this.#allowed(nowMs);
    while (outcome.given < allowed && session.mayRead(stream)) {
      const { slab, start, room } = stream.send.reserve();
      const count = Math.min(room, allowed - outcome.given);
      this.#gives.write(slab.bytes, start, outcome.given, count);
      outcome.given += count;
      session.handleLocalData(stream, count, nowMs);
    }
    if (outcome.given === bytes) {
      this.#endGiven = true;
      session.handleLocalEnd(stream, nowMs);
    } else if (outcome.given === allowed) {
      session.handleLocalDry(stream);
      this.#feedAt(Math.max(nowMs + pauseMsMin, this.#startMs + outcome.given / givesRate));
    }
    this.#pump();
  }
}
