/**
 * What a session consists of, and the few moves its parts share: receiver, transmitter and watch all work on this. Each
 * move keeps the rule that every byte and every control frame is either acknowledged, on a strand, or queued.
 */
import { NumberedQueue, type Slab, type SlabPool } from '@tresse/kit';

import {
  aheadOfCreditBytes,
  controlCreditBytes,
  creditFloorBytes,
  loggedItemsMax,
  opensPerSecond,
  opensSavedS,
  sendBudgetBytes,
  sendBudgetBytesBox,
  sendFloorBytes,
} from '../limits.ts';
import { Path } from '../line/path.ts';
import { FairQueue } from '../scheduling/fair-queue.ts';
import { LatencyWatch } from '../scheduling/latency-watch.ts';
import { type Policy, shippedPolicy } from '../scheduling/policy.ts';
import type { Strand } from '../strand/strand.ts';
import type { Control, ControlKind, SentItem } from '../stream/chunk.ts';
import { CreditBudget } from '../stream/credit.ts';
import type { Local } from '../stream/local.ts';
import { OpenAllowance } from '../stream/open-allowance.ts';
import { Roster } from '../stream/roster.ts';
import { Stream } from '../stream/stream.ts';
import { UsedNumbers } from '../stream/used-numbers.ts';
import { MessageAllowance, MessageReader } from '../wire/control-stream.ts';
import { type ResetReason, StreamClass } from '../wire/frame.ts';

/** Which end of the session this is: only the box opens strands. */
export type Side = 'box' | 'relay';

/** What a stream sends at a stretch before it counts as bulk, whatever it began as, bytes. */
const bulkFromBytes = 262_144;
/** What is kept for a stream before any rate is known, bytes. */
const youngSendBytes = 1_048_576;
/** Beyond two round trips, this much more is kept so that a line's death does not starve the others, ms. */
const sendReserveMs = 250;
/** What streams without credit leave of the send budget; and one of them has one of so many parts of the rest. */
const sendReserveShare = 0.25;
const aheadShares = 256;
/** No stream keeps more than this share of what is still free: whatever it does, something is left for the next. */
const shareOfFree = 0.5;
/** So many streams forgotten, and the queues are looked through for what they left there. */
const sweepAfterForgotten = 4_096;

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
  /** Those taken back so soon that the line cannot have been dead. */
  pathSuspicionsNeedless: number;
  strandSuspicions: number;
  /** Suspicions for want of records while segments came in. */
  pathsDeaf: number;
  violations: number;
  /** Bytes and ends of streams that were gone already. */
  framesTooLate: number;
  /** Messages beyond what a peer may say. */
  messagesRefused: number;
  /** Turns in which nothing was sent because the peer acknowledges nothing. */
  withheld: number;
}

/** Takes a body of the packet lane that came in a strand of a path; it stands in the slab during the call. */
export type TakeDatagram = (path: number, slab: Slab, start: number, length: number) => void;

export class SessionState {
  readonly side: Side;
  readonly local: Local;
  readonly pool: SlabPool;
  readonly budget: CreditBudget;
  readonly policy: Policy;
  readonly paths: Map<number, Path> = new Map();
  readonly strands: Map<number, Strand> = new Map();
  readonly streams: Map<number, Stream> = new Map();
  /** Where bodies of the packet lane go; undefined: none is taken. */
  datagrams: TakeDatagram | undefined;
  readonly used: UsedNumbers;
  /** What the peer may open. */
  readonly opens: OpenAllowance;
  /** Stream 0: the daemons' messages, with a fixed credit, before everything else. */
  readonly control: Stream;
  readonly inbox: MessageReader;
  readonly urgent: FairQueue = new FairQueue();
  readonly interactive: FairQueue = new FairQueue();
  readonly bulk: FairQueue = new FairQueue();
  readonly pending: NumberedQueue<Control> = new NumberedQueue();
  readonly latency: LatencyWatch = new LatencyWatch();
  /** Streams whose local peer has not acknowledged all that was delivered, and when the first of them is to be looked at. */
  readonly unacked: Roster = new Roster('unackedPlace');
  ackLookMs: number = Infinity;
  readonly paused: Set<Stream> = new Set();
  /** Streams with chunks that are not acknowledged. */
  readonly outstanding: Roster = new Roster('outstandingPlace');
  /** Streams that have received since they last gave back what they did not use of their windows. */
  readonly unrested: Roster = new Roster('unrestedPlace');
  readonly counters: SessionCounters = {
    streamsOpened: 0,
    recordsOut: 0,
    recordsIn: 0,
    chunksSentAgain: 0,
    bytesSentAgain: 0,
    bytesHedged: 0,
    bytesReceivedTwice: 0,
    pathSuspicions: 0,
    pathSuspicionsNeedless: 0,
    strandSuspicions: 0,
    pathsDeaf: 0,
    violations: 0,
    framesTooLate: 0,
    messagesRefused: 0,
    withheld: 0,
  };
  /** Payload bytes given to strands for the first time; what the hedge budget is a share of. */
  payloadBytes = 0;
  heldBytes = 0;
  /** Items in all strands' logs of what was sent. */
  loggedItems = 0;
  /** The peer said more than it may, in the record at work. */
  messageRefused = false;
  nowMs: number;
  /** When a strand that could carry was last there. */
  lineSeenMs: number;
  /** Streams not used by idle rules: the box's own numbers, odd; the relay's, even. */
  nextStream: number;
  readonly #sendBudgetBytes: number;
  #forgotten = 0;
  #figuresMs = -1;
  #longestRttMs = 1;

  constructor(
    side: Side,
    local: Local,
    pool: SlabPool,
    budget: CreditBudget,
    nowMs: number,
    policy: Policy = shippedPolicy,
  ) {
    this.policy = policy;
    this.side = side;
    this.#sendBudgetBytes = side === 'box' ? sendBudgetBytesBox : sendBudgetBytes;
    this.local = local;
    this.pool = pool;
    this.budget = budget;
    this.opens = new OpenAllowance(opensPerSecond, opensSavedS, nowMs);
    this.used = new UsedNumbers(side === 'box' ? 2 : 1);
    this.nextStream = side === 'box' ? 1 : 2;
    this.nowMs = nowMs;
    this.lineSeenMs = nowMs;
    const nowhere = { address: new Uint8Array(4), port: 0 };
    const none = new CreditBudget(0);
    this.control = new Stream(0, StreamClass.realtime, nowhere, [], true, pool, none, nowMs, controlCreditBytes);
    // Nobody opens it: it is there with the session.
    this.control.openAcked = true;
    const allowance = new MessageAllowance(nowMs);
    this.inbox = new MessageReader((message) => {
      if (allowance.spend(message.length, this.nowMs)) local.message?.(message);
      else {
        this.counters.messagesRefused++;
        this.messageRefused = true;
      }
    });
  }

  path(id: number): Path {
    let path = this.paths.get(id);
    if (!path) {
      path = new Path(id, this.policy);
      this.paths.set(id, path);
    }
    return path;
  }

  /** Notes what a record carries, so that it goes again when the record's strand is lost. */
  log(strand: Strand, item: SentItem): void {
    strand.sent.push(strand.recordsSent, item);
    this.loggedItems++;
  }

  /** The oldest item of a strand's log, taken out. */
  takeLogged(strand: Strand): SentItem | undefined {
    const item = strand.sent.shift();
    if (item) this.loggedItems--;
    return item;
  }

  /** Forgets a strand's log. */
  clearLog(strand: Strand): void {
    this.loggedItems -= strand.sent.length;
    strand.sent.clear();
  }

  /** Too much is on its way unacknowledged: nothing more is sent that would have to be remembered. */
  get logFull(): boolean {
    return this.loggedItems >= loggedItemsMax;
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
    queue.push(stream);
  }

  knows(stream: Stream): boolean {
    return stream === this.control || this.streams.get(stream.id) === stream;
  }

  isBulk(stream: Stream): boolean {
    return stream.klass === StreamClass.bulk || stream.gives.bytes(stream.send.next) >= bulkFromBytes;
  }

  /** A stream's bytes were sent or have come. */
  stirred(stream: Stream, came: boolean): void {
    if (stream === this.control) return;
    if (!this.#isTransfer(stream)) this.latency.stir(stream, this.nowMs);
    else if (came && this.#takesMuch(stream)) this.latency.bulkCame(this.nowMs);
  }

  /** Bulk keeps the lines' queues short. */
  get latencyMatters(): boolean {
    return this.latency.matters(this.#isTransfer, this.nowMs);
  }

  #takesMuch(stream: Stream): boolean {
    return stream.takes.bytes(stream.receive.next) >= bulkFromBytes;
  }

  readonly #isTransfer = (stream: Stream): boolean => this.isBulk(stream) || this.#takesMuch(stream);

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
        if (stream.send.chunksOutstanding === 0) this.outstanding.delete(stream);
        this.resume(stream);
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
      item.lostMs = this.nowMs;
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
    this.unacked.delete(stream);
    this.paused.delete(stream);
    this.outstanding.delete(stream);
    this.unrested.delete(stream);
    stream.release();
  }

  forget(stream: Stream): void {
    if (!this.streams.delete(stream.id) || ++this.#forgotten < sweepAfterForgotten) return;
    this.#forgotten = 0;
    // What waits for a line may wait for ever: a peer that reads nothing must not fill the queues by opening and resetting.
    this.pending.retain((control) => {
      const { stream: owner, kind } = control;
      const wanted = this.knows(owner) && (!owner.dead || kind === 'reset' || kind === 'open');
      control.pending = wanted;
      return wanted;
    });
    for (const queue of [this.interactive, this.bulk]) queue.retain((one) => !one.dead);
  }

  /** Bytes per second of all usable lines together. */
  totalRate(): number {
    let sum = 0;
    for (const path of this.paths.values()) {
      if (path.usable && path.answered && !this.spares(path)) sum += path.rate();
    }
    return sum;
  }

  /** A metered path is spared while another one carries: only what is bound to it by rule goes there. */
  spares(path: Path): boolean {
    if (!path.metered) return false;
    for (const other of this.paths.values()) if (!other.metered && other.usable && other.answered) return true;
    return false;
  }

  /** Longest smoothed round trip of the usable lines, ms. */
  longestRttMs(): number {
    // Asked for with every frame, and the same for all of one moment.
    if (this.#figuresMs === this.nowMs) return this.#longestRttMs;
    let longest = 1;
    for (const path of this.paths.values()) {
      if (path.usable && !this.spares(path)) longest = Math.max(longest, path.rttMs);
    }
    this.#figuresMs = this.nowMs;
    this.#longestRttMs = longest;
    return longest;
  }

  /**
   * How much of a stream may be kept until acknowledged, bytes: two round trips of all lines and a reserve, but never more
   * than a share of what is free, so that no stream starves another. Beyond twice the budget only a stream's first bytes are.
   */
  sendBudget(): number {
    const free = this.#sendBudgetBytes - this.heldBytes;
    if (free <= 0) return free > -this.#sendBudgetBytes ? sendFloorBytes : creditFloorBytes;
    const wanted = (this.totalRate() * (2 * this.longestRttMs() + sendReserveMs)) / 1_000;
    return Math.max(sendFloorBytes, Math.min(Math.max(wanted, youngSendBytes), free * shareOfFree));
  }

  /** Little of the send budget is used. */
  get roomy(): boolean {
    return this.heldBytes < this.#sendBudgetBytes / 8;
  }

  /** Whether more may be read from the local peer; remembers who is to be told when there is room again. */
  mayRead(stream: Stream): boolean {
    if (stream.dead || stream.sendEnd >= 0) return false;
    if (!this.#farAhead(stream) && stream.send.heldBytes < this.sendBudget()) return true;
    stream.localPaused = true;
    this.paused.add(stream);
    return false;
  }

  /**
   * So much waits for the peer's credit that more would only lie here: less, the more is kept for others, and nothing where a
   * quarter of the budget is left. It goes to streams that have credit, whose readers do not stand still.
   */
  #farAhead(stream: Stream): boolean {
    const ahead = stream.send.end - stream.creditLimit;
    if (ahead < 0) return false;
    const free = this.#sendBudgetBytes * (1 - sendReserveShare) - this.heldBytes;
    return ahead >= Math.min(aheadOfCreditBytes, Math.max(0, free / aheadShares));
  }

  /** Lets a stream read again if there is room. */
  resume(stream: Stream, budget: number = this.sendBudget()): void {
    if (!stream.localPaused || stream.send.heldBytes > budget * 0.9 || this.#farAhead(stream)) return;
    stream.localPaused = false;
    this.paused.delete(stream);
    this.local.room(stream);
  }

  /** Lets waiting streams read again; for when the common budget, not their own, was what held them. */
  resumePaused(): void {
    const budget = this.sendBudget();
    // Whoever reads at once may pause again: each is looked at once.
    let left = this.paused.size;
    for (const stream of this.paused) {
      if (left-- === 0) break;
      this.resume(stream, budget);
    }
  }
}
