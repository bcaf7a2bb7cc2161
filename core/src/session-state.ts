/**
 * What a session consists of, and the few moves its parts share: receiver, transmitter and watch all work on this. Each
 * move keeps the rule that every byte and every control frame is either acknowledged, on a strand, or queued.
 */
import { NumberedQueue, type SlabPool } from '@tresse/kit';

import type { Control, ControlKind, SentItem } from './chunk.ts';
import { MessageReader } from './control-stream.ts';
import { CreditBudget } from './credit.ts';
import { type ResetReason, StreamClass } from './frame.ts';
import { controlCreditBytes, sendBudgetBytes, sendFloorBytes } from './limits.ts';
import type { Local } from './local.ts';
import { Path } from './path.ts';
import type { Strand } from './strand.ts';
import { Stream } from './stream.ts';
import { UsedNumbers } from './used-numbers.ts';

/** Which end of the session this is: only the box opens strands. */
export type Side = 'box' | 'relay';

/** From here on a stream counts as bulk, whatever it began as, bytes. */
const bulkFromBytes = 262_144;
/** What is kept for a stream before any rate is known, bytes. */
const youngSendBytes = 1_048_576;
/** Beyond two round trips, this much more is kept so that a line's death does not starve the others, ms. */
const sendReserveMs = 250;

/** Everything counted; shown by `tresse status`. */
export interface SessionCounters {
  streamsOpened: number;
  recordsOut: number;
  recordsIn: number;
  chunksSentAgain: number;
  bytesSentAgain: number;
  bytesHedged: number;
  bytesReceivedTwice: number;
  pathSuspicions: number;
  strandSuspicions: number;
  violations: number;
}

export class SessionState {
  readonly side: Side;
  readonly local: Local;
  readonly pool: SlabPool;
  readonly budget: CreditBudget;
  readonly paths: Map<number, Path> = new Map();
  readonly strands: Map<number, Strand> = new Map();
  readonly streams: Map<number, Stream> = new Map();
  readonly used: UsedNumbers;
  /** Stream 0: the daemons' messages, with a fixed credit, before everything else. */
  readonly control: Stream;
  readonly inbox: MessageReader;
  readonly urgent: NumberedQueue<Stream> = new NumberedQueue();
  readonly interactive: NumberedQueue<Stream> = new NumberedQueue();
  readonly bulk: NumberedQueue<Stream> = new NumberedQueue();
  readonly pending: NumberedQueue<Control> = new NumberedQueue();
  /** Streams whose local peer has not acknowledged all that was delivered. */
  readonly creditWatch: Set<Stream> = new Set();
  readonly paused: Set<Stream> = new Set();
  readonly counters: SessionCounters = {
    streamsOpened: 0,
    recordsOut: 0,
    recordsIn: 0,
    chunksSentAgain: 0,
    bytesSentAgain: 0,
    bytesHedged: 0,
    bytesReceivedTwice: 0,
    pathSuspicions: 0,
    strandSuspicions: 0,
    violations: 0,
  };
  /** Payload bytes given to strands for the first time; what the hedge budget is a share of. */
  payloadBytes = 0;
  heldBytes = 0;
  nowMs: number;
  /** When a strand that could carry was last there. */
  lineSeenMs: number;
  /** Streams not used by idle rules: the box's own numbers, odd; the relay's, even. */
  nextStream: number;

  constructor(side: Side, local: Local, pool: SlabPool, budget: CreditBudget, nowMs: number) {
    this.side = side;
    this.local = local;
    this.pool = pool;
    this.budget = budget;
    this.used = new UsedNumbers(side === 'box' ? 2 : 1);
    this.nextStream = side === 'box' ? 1 : 2;
    this.nowMs = nowMs;
    this.lineSeenMs = nowMs;
    const nowhere = { address: new Uint8Array(4), port: 0 };
    const none = new CreditBudget(0);
    this.control = new Stream(0, StreamClass.realtime, nowhere, [], true, pool, none, nowMs, controlCreditBytes);
    // Nobody opens it: it is there with the session.
    this.control.openAcked = true;
    this.inbox = new MessageReader((message) => local.message?.(message));
  }

  path(id: number): Path {
    let path = this.paths.get(id);
    if (!path) {
      path = new Path(id);
      this.paths.set(id, path);
    }
    return path;
  }

  /** Queues a control frame; a second wish while it waits changes nothing. */
  pend(stream: Stream, kind: ControlKind): void {
    const control = stream.control(kind);
    if (control.pending) return;
    control.pending = true;
    this.pending.push(0, control);
  }

  /** Queues a stream that has something to send. */
  ready(stream: Stream): void {
    if (stream.queued || stream.dead) return;
    if (stream.sendableBytes <= 0 && !stream.send.hasLost) return;
    stream.queued = true;
    const queue = stream === this.control ? this.urgent : this.isBulk(stream) ? this.bulk : this.interactive;
    queue.push(stream.id, stream);
  }

  knows(stream: Stream): boolean {
    return stream === this.control || this.streams.get(stream.id) === stream;
  }

  isBulk(stream: Stream): boolean {
    return stream.klass === StreamClass.bulk || stream.send.next >= bulkFromBytes;
  }

  /** An item of a strand's log was delivered. */
  acknowledged(item: SentItem): void {
    const stream = item.stream;
    if (item.kind === 'chunk') {
      if (item.acked) return;
      if (stream.dead) return;
      const held = stream.send.heldBytes;
      if (stream.send.acknowledge(item)) {
        stream.progressMs = this.nowMs;
        this.heldBytes -= held - stream.send.heldBytes;
        this.#resume(stream);
      }
    } else {
      item.outstanding--;
      item.acked = true;
      if (item.kind === 'open') stream.openAcked = true;
    }
    this.settle(stream);
  }

  /** An item of a strand's log will not arrive there in time: it goes again, elsewhere. */
  lost(item: SentItem, strand: Strand): void {
    const stream = item.stream;
    if (item.kind === 'chunk') {
      if (item.acked || item.lost || stream.dead || item.strand !== strand.id) return;
      stream.send.lose(item);
      this.counters.chunksSentAgain++;
      this.counters.bytesSentAgain += item.length;
      this.ready(stream);
    } else if (this.knows(stream) && (!item.acked || item.kind === 'credit')) {
      if (!stream.dead || item.kind === 'reset') this.pend(stream, item.kind);
    }
  }

  /** Everything a strand still owes goes again elsewhere, and every acknowledgement it may have carried too. */
  loseStrand(strand: Strand): void {
    for (let i = 0; i < strand.sent.length; i++) {
      const item = strand.sent.at(i);
      if (item) this.lost(item, strand);
    }
    for (const other of this.strands.values()) {
      if (other.recordsReceived > 0) other.ackDueMs = this.nowMs;
    }
  }

  /**
   * Sees to it that the relay learns every line's state: on each living quick strand, once, until one of them is
   * acknowledged. What a strand carried when it died is told on the next.
   */
  tellPaths(): void {
    if (this.side !== 'box') return;
    for (const path of this.paths.values()) {
      if (path.sequenceKnown >= path.sequence) continue;
      for (const other of this.paths.values()) {
        const quick = other.usable ? other.quick() : undefined;
        if (!quick || quick.pathsTold.get(path.id)?.sequence === path.sequence) continue;
        if (!quick.pathsToTell.includes(path.id)) quick.pathsToTell.push(path.id);
      }
    }
  }

  /** Ends what has nothing left to do: both directions delivered, or the reset known to the peer. */
  settle(stream: Stream): void {
    if (stream.dead) {
      if (stream.controls.reset?.acked === true) this.forget(stream);
    } else if (stream.sendDone && stream.receiveDone) {
      this.local.released(stream);
      this.drop(stream);
      this.forget(stream);
    }
  }

  /** Ends a stream from our side: the peer is told until it knows. */
  reset(stream: Stream, reason: ResetReason): void {
    if (stream.dead) return;
    stream.resetReason = reason;
    this.drop(stream);
    this.pend(stream, 'reset');
  }

  /** Gives back a stream's memory; its number may still be waiting for an acknowledgement. */
  drop(stream: Stream): void {
    this.heldBytes -= stream.send.heldBytes;
    this.creditWatch.delete(stream);
    this.paused.delete(stream);
    stream.release();
  }

  forget(stream: Stream): void {
    this.streams.delete(stream.id);
  }

  /** Bytes per second of all usable lines together. */
  totalRate(): number {
    let sum = 0;
    for (const path of this.paths.values()) if (path.usable && path.answered) sum += path.rate();
    return sum;
  }

  /** Longest smoothed round trip of the usable lines, ms. */
  longestRttMs(): number {
    let longest = 1;
    for (const path of this.paths.values()) if (path.usable) longest = Math.max(longest, path.rttMs);
    return longest;
  }

  /** How much of a stream may be kept until acknowledged, bytes. */
  sendBudget(): number {
    const free = sendBudgetBytes - this.heldBytes;
    if (free <= 0) return sendFloorBytes;
    const wanted = (this.totalRate() * (2 * this.longestRttMs() + sendReserveMs)) / 1_000;
    return Math.max(sendFloorBytes, Math.min(Math.max(wanted, youngSendBytes), free));
  }

  /** Whether more may be read from the local peer; remembers who is to be told when there is room again. */
  mayRead(stream: Stream): boolean {
    if (stream.dead || stream.sendEnd >= 0) return false;
    if (stream.send.heldBytes < this.sendBudget()) return true;
    stream.localPaused = true;
    this.paused.add(stream);
    return false;
  }

  #resume(stream: Stream): void {
    if (!stream.localPaused || stream.send.heldBytes > this.sendBudget() * 0.9) return;
    stream.localPaused = false;
    this.paused.delete(stream);
    this.local.room(stream);
  }

  /** Lets waiting streams read again; for when the common budget, not their own, was what held them. */
  resumePaused(): void {
    for (const stream of this.paused) this.#resume(stream);
  }
}
