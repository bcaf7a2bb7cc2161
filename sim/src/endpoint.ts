/** One side of the session, driven as the engine drives it: connections as strands, peers as local sockets. */
import {
  type CreditBudget,
  Dialer,
  limits,
  openingBytes,
  type Policy,
  ResetReason,
  Session,
  type Strand,
  StrandRole,
  type Stream,
} from '@tresse/core';
import { BugError, FreeListPool, heapSlab, type Slab } from '@tresse/kit';

import type { Clock } from './clock.ts';
import type { Connection, EndName } from './connection.ts';
import type { LocalPeer } from './local-peer.ts';

/** Strands that take nothing, or are not answered, are closed after this, ms. */
const takesNothingMs = 30_000;
const openingMs = 3_000;
/** A strand that was replaced is closed after this long without a word, ms. */
const drainedMs = 1_000;
/** No honest session has more to send at one moment. */
const recordsMax = 20_000;

export interface EndpointOptions {
  readonly side: EndName;
  readonly budget: CreditBudget;
  /** Unsent bytes from which a socket takes nothing more. */
  readonly socketBytes: number;
  /** The session is looked at no more often than this while it is busy, ms. */
  readonly tickMs: number;
  /** The peer for a stream that the other side opened; undefined: refused. */
  readonly accept: (stream: Stream) => void;
  /** Strands are replaced so long after a newer key came, ms; none: as in the product. */
  readonly strandOldMs: number | undefined;
  readonly policy: Policy | undefined;
  /** Everything that happens is told here, for the hash. */
  readonly note: (kind: number, a: number, b: number) => void;
}

interface Lane {
  readonly connection: Connection;
  readonly strand: Strand;
  dirty: boolean;
}

export class Endpoint {
  readonly session: Session;
  readonly pool: FreeListPool;
  readonly peers: Map<Stream, LocalPeer> = new Map();
  readonly dialer: Dialer | undefined;
  /** Begins a connection; set by the world. */
  dial: (path: number, role: StrandRole) => void = () => {};
  readonly violations: string[] = [];
  readonly #clock: Clock;
  readonly #options: EndpointOptions;
  readonly #lanes = new Map<Connection, Lane>();
  readonly #byStrand = new Map<Strand, Lane>();
  readonly #out: Slab = heapSlab(limits.recordBytesMax);
  readonly #in: Slab = heapSlab(limits.recordBytesMax);
  #wakeAtMs = Infinity;
  #frozenUntilMs = 0;
  #over = false;

  constructor(clock: Clock, options: EndpointOptions) {
    this.#clock = clock;
    this.#options = options;
    this.pool = new FreeListPool(heapSlab, 4 * 1_048_576);
    this.session = new Session(
      {
        side: options.side,
        pool: this.pool,
        budget: options.budget,
        ...(options.strandOldMs !== undefined && { strandOldMs: options.strandOldMs }),
        ...(options.policy && { policy: options.policy }),
        local: {
          connect: (stream) => options.accept(stream),
          deliver: (stream, slab, start, length) => this.peers.get(stream)?.take(slab, start, length) ?? 0,
          unacknowledged: (stream) => this.peers.get(stream)?.unacknowledged ?? 0,
          ended: (stream) => this.peers.get(stream)?.end(),
          room: (stream) => this.peers.get(stream)?.room(),
          reset: (stream, reason) => this.#resetPeer(stream, reason),
          released: (stream) => {
            const peer = this.peers.get(stream);
            if (peer) peer.outcome.released = true;
          },
        },
      },
      clock.nowMs,
    );
    this.dialer = options.side === 'box' ? new Dialer(this.session) : undefined;
  }

  get over(): boolean {
    return this.#over;
  }

  get connections(): Iterable<Connection> {
    return this.#lanes.keys();
  }

  /** Nothing is handled for a while; it is then, in order. */
  freeze(forMs: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.#clock.nowMs + forMs);
    this.#clock.at(this.#frozenUntilMs, () => this.pump());
  }

  /** Does something now, or when the process goes on. */
  awake(act: () => void): void {
    if (this.#clock.nowMs < this.#frozenUntilMs) this.#clock.at(this.#frozenUntilMs, act);
    else act();
  }

  /** The connection stands (box), or its opening has come (relay). */
  handleUp(connection: Connection): void {
    const { nowMs } = this.#clock;
    const strand = this.session.handleStrandUp(connection.id, connection.line.path, connection.role, nowMs);
    const lane = { connection, strand, dirty: true };
    this.#lanes.set(connection, lane);
    this.#byStrand.set(strand, lane);
    this.#options.note(1, connection.id, connection.line.path);
    if (this.#options.side === 'box') connection.half('box').write(new Uint8Array(0), openingBytes);
    this.pump();
  }

  handleContent(connection: Connection, content: Uint8Array): void {
    if (this.#over) return;
    const lane = this.#lanes.get(connection);
    if (!lane) {
      if (content.length === 0) this.handleUp(connection);
      return;
    }
    const { strand } = lane;
    const answered = strand.state === 'answered';
    this.#in.bytes.set(content);
    this.#options.note(2, connection.id, content.length);
    const wrong = this.session.handleRecord(strand, this.#in, 0, content.length, this.#clock.nowMs);
    if (wrong !== undefined) {
      this.violations.push(`strand ${strand.id}: ${wrong}`);
      this.close(connection);
    } else if (!answered) {
      for (const old of this.dialer?.handleAnswered(strand) ?? []) {
        const replaced = this.#byStrand.get(old);
        if (replaced) this.close(replaced.connection);
      }
    }
    lane.dirty = true;
    this.pump();
  }

  handleAcked(connection: Connection): void {
    const lane = this.#lanes.get(connection);
    if (!lane || this.#over) return;
    lane.dirty = true;
    const { strand } = lane;
    if (strand.blocked && connection.half(this.#options.side).unsentBytes < this.#options.socketBytes / 2) {
      this.session.handleWritable(strand);
    }
    this.pump();
  }

  handleDown(connection: Connection): void {
    const lane = this.#lanes.get(connection);
    if (!lane || this.#over) return;
    this.#options.note(3, connection.id, 0);
    this.#lanes.delete(connection);
    this.#byStrand.delete(lane.strand);
    this.session.handleStrandDown(lane.strand, this.#clock.nowMs);
    this.pump();
  }

  /** The session is over: every peer sees a reset, every connection is closed. */
  end(): void {
    this.#over = true;
    this.session.end(this.#clock.nowMs);
    for (const { connection } of this.#lanes.values()) connection.close(this.#options.side);
  }

  close(connection: Connection): void {
    connection.close(this.#options.side);
    this.handleDown(connection);
  }

  /** Sends what is to be sent, and sees to being called again in time. */
  pump(): void {
    const { nowMs } = this.#clock;
    const { session } = this;
    if (this.#over || nowMs < this.#frozenUntilMs) return;
    for (const lane of this.#lanes.values()) {
      if (!lane.dirty) continue;
      lane.dirty = false;
      session.handleStrandInfo(lane.strand, lane.connection.info(this.#options.side), nowMs);
    }
    for (let order = this.dialer?.poll(nowMs); order; order = this.dialer?.poll(nowMs)) {
      this.dial(order.path, order.role);
    }
    let records = 0;
    for (let strand = session.pollRecord(this.#out, nowMs); strand; strand = session.pollRecord(this.#out, nowMs)) {
      this.#write(strand, session.textLength);
      if (++records > recordsMax)
        throw new BugError('SIMULATION', `polls records without end, the last on strand ${strand.id}`);
    }
    this.#wakeBy(Math.min(session.nextTimeoutMs(nowMs), this.dialer?.nextDueMs(nowMs) ?? Infinity));
  }

  #write(strand: Strand, length: number): void {
    const lane = this.#byStrand.get(strand);
    if (!lane) throw new BugError('SIMULATION', `a record for strand ${strand.id}, which is closed`);
    const at = limits.recordHeaderBytes;
    const half = lane.connection.half(this.#options.side);
    this.#options.note(4, strand.id, length);
    half.write(this.#out.bytes.slice(at, at + length), at + length + limits.tagBytes);
    lane.dirty = true;
    if (half.unsentBytes > this.#options.socketBytes) this.session.handleBlocked(strand, this.#clock.nowMs);
    this.session.handleStrandInfo(strand, lane.connection.info(this.#options.side), this.#clock.nowMs);
  }

  #wakeBy(dueMs: number): void {
    const { nowMs } = this.#clock;
    const atMs = Math.max(dueMs, nowMs + this.#options.tickMs);
    // One that falls due at this very moment has not been yet.
    if (this.#wakeAtMs <= atMs) return;
    this.#wakeAtMs = atMs;
    this.#clock.at(atMs, () => {
      if (this.#wakeAtMs !== atMs || this.#over) return;
      this.#wakeAtMs = Infinity;
      this.awake(() => this.#tick());
    });
  }

  #tick(): void {
    const { nowMs } = this.#clock;
    for (const { strand, connection } of this.#lanes.values()) {
      this.session.handleStrandInfo(strand, connection.info(this.#options.side), nowMs);
    }
    const goesOn = this.session.tick(nowMs);
    for (const { strand, connection } of this.#lanes.values()) {
      connection.half(this.#options.side).paceMax = strand.paceBytesPerSecond / 1_000;
    }
    if (!goesOn) {
      this.end();
      return;
    }
    for (const { strand, connection } of this.#lanes.values()) {
      const mute = strand.blocked && nowMs - strand.blockedSinceMs > takesNothingMs;
      const unanswered = strand.state === 'opening' && nowMs - strand.openedMs > openingMs;
      const replaced = this.dialer !== undefined && strand.drained && nowMs - strand.lastHeardMs > drainedMs;
      if (mute || unanswered || replaced) this.close(connection);
    }
    this.pump();
  }

  #resetPeer(stream: Stream, reason: ResetReason): void {
    const peer = this.peers.get(stream);
    if (peer) peer.outcome.reset = reason;
  }
}
