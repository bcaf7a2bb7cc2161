/**
 * One box and one relay, associated by a key: streams over strands. Sans-IO; time comes in with every call.
 *
 * Methods are of four families: getters; `handle*` for what comes in; commands; `poll*` for what goes out. After any
 * number of `handle*` and commands the caller polls records until none comes, then asks when to come again:
 *
 *     handle..., command... -> pollRecord until undefined -> nextTimeoutMs -> tick
 */
import { BugError, type Parts, type Slab, type SlabPool } from '@tresse/kit';

import { pingSiblingMs, receiveBudgetBytes, strandOldMs } from '../limits.ts';
import { notePatience } from '../line/liveness.ts';
import type { Path } from '../line/path.ts';
import { type Policy, shippedPolicy } from '../scheduling/policy.ts';
import { Strand, type StrandInfo } from '../strand/strand.ts';
import { CreditBudget } from '../stream/credit.ts';
import type { Local } from '../stream/local.ts';
import { classOf, type StreamHints } from '../stream/stream-hints.ts';
import { Stream } from '../stream/stream.ts';
import { framedMessage, messageBytesMax } from '../wire/control-stream.ts';
import { ResetReason, type Target, type Violation } from '../wire/frame.ts';
import type { StrandRole } from '../wire/opening.ts';
import { Receiver } from './receiver.ts';
import { type SessionCounters, SessionState, type Side, type TakeDatagram } from './session-state.ts';
import { Transmitter } from './transmitter.ts';
import { Watch } from './watch.ts';

export interface SessionOptions {
  readonly side: Side;
  readonly local: Local;
  readonly pool: SlabPool;
  /** Called when a path falls silent or is heard again. */
  readonly onPath?: (path: Path) => void;
  /** All streams' windows; default: one of the session's own. */
  readonly budget?: CreditBudget;
  /** Box: strands are replaced so long after a newer key came, ms; default {@link strandOldMs}. */
  readonly strandOldMs?: number;
  /** Default: the one that ships. */
  readonly policy?: Policy;
  /** Takes what the packet lane sent in a strand; without, such a frame is a violation. */
  readonly onDatagram?: TakeDatagram;
}

/** What a line may carry each way, bits per second; 0: no limit. */
export interface PathLimits {
  readonly downBps: number;
  readonly upBps: number;
}

const noLimits: PathLimits = { downBps: 0, upBps: 0 };

/** While something is on its way the session is looked at this often, ms. */
const busyMs = 2;
/** ... and this often while that is only probes and what acknowledges them, and no stream was heard lately: nobody waits for what they tell. */
const probingMs = 20;

export class Session {
  readonly #state: SessionState;
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;
  readonly #watch: Watch;
  readonly #strandOldMs: number;
  #ended = false;

  constructor(options: SessionOptions, nowMs: number) {
    const budget = options.budget ?? new CreditBudget(receiveBudgetBytes);
    const { side, local, pool, policy = shippedPolicy } = options;
    this.#state = new SessionState(side, local, pool, budget, nowMs, policy);
    this.#state.datagrams = options.onDatagram;
    this.#strandOldMs = options.strandOldMs ?? strandOldMs;
    this.#receiver = new Receiver(this.#state);
    this.#transmitter = new Transmitter(this.#state);
    this.#watch = new Watch(this.#state, this.#receiver.renewal, options.onPath ?? ((): void => {}));
  }

  // Getters.

  get counters(): SessionCounters {
    return this.#state.counters;
  }

  get policy(): Policy {
    return this.#state.policy;
  }

  get paths(): ReadonlyMap<number, Path> {
    return this.#state.paths;
  }

  get strands(): ReadonlyMap<number, Strand> {
    return this.#state.strands;
  }

  get streams(): ReadonlyMap<number, Stream> {
    return this.#state.streams;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes kept until the peer acknowledges them. */
  get heldBytes(): number {
    return this.#state.heldBytes;
  }

  /** Little of the send budget is used. */
  get roomy(): boolean {
    return this.#state.roomy;
  }

  /** True while the session must be looked at every couple of milliseconds. */
  get busy(): boolean {
    const s = this.#state;
    if (s.urgent.length > 0 || s.interactive.length > 0 || s.bulk.length > 0 || s.pending.length > 0) return true;
    const heard = s.unrested.size > 0;
    for (const strand of s.strands.values()) {
      if (strand.sent.length > 0 || ((heard || strand.datagram) && strand.unackedSegments > 0)) return true;
    }
    return false;
  }

  /** When to call {@link tick} next, ms. */
  nextTimeoutMs(nowMs: number): number {
    if (this.busy) return nowMs + busyMs;
    // What is due and was not sent finds no strand: no reason to turn without a pause.
    const gapMs = this.#probing() ? probingMs : 1_000;
    const dueMs = Math.min(this.#transmitter.nextDueMs(), this.#state.ackLookMs);
    return Math.min(Math.max(dueMs, nowMs + busyMs), nowMs + gapMs);
  }

  #probing(): boolean {
    for (const strand of this.#state.strands.values()) if (strand.unackedSegments > 0) return true;
    return false;
  }

  // What comes in.

  /** A strand stands: on the box when its TCP connection does, on the relay when its opening is authenticated. */
  handleStrandUp(id: number, pathId: number, role: StrandRole, nowMs: number): Strand {
    this.#state.nowMs = nowMs;
    const relay = this.#state.side === 'relay';
    const strand = new Strand(id, pathId, role, relay ? 'answered' : 'opening', nowMs);
    const path = this.#state.path(pathId);
    // Through a proxy the connection itself says nothing of the other end.
    if (!relay && path.recordsOnly) strand.recordHeardMs = -Infinity;
    strand.recordsOnly = path.recordsOnly;
    path.strands.push(strand);
    this.#state.strands.set(id, strand);
    strand.answerPending = relay;
    // Nobody but the box can have opened it: its line is there, whatever PATH said last.
    if (relay) this.#state.lineSeenMs = nowMs;
    if (strand.quick) strand.pingDueMs = nowMs;
    else strand.pingDueMs = relay ? Infinity : nowMs + pingSiblingMs;
    return strand;
  }

  /** An authenticated record: frames at [start, end) of the slab. A violation means: close the strand. */
  handleRecord(strand: Strand, slab: Slab, start: number, end: number, nowMs: number): Violation | undefined {
    this.#state.nowMs = nowMs;
    if (strand.state === 'opening') this.#answered(strand);
    const idle = this.#state.streams.size === 0;
    const wrong = this.#receiver.handleRecord(strand, slab, start, end);
    if (idle && this.#state.streams.size > 0) this.#transmitter.hastenPings();
    return wrong;
  }

  /** The strand's connection ended, for whatever reason: what it owed goes again elsewhere. */
  handleStrandDown(strand: Strand, nowMs: number): void {
    const state = this.#state;
    state.nowMs = nowMs;
    if (strand.state === 'closed') return;
    strand.state = 'closed';
    state.strands.delete(strand.id);
    state.path(strand.path).retire(strand);
    state.loseStrand(strand);
    state.clearLog(strand);
  }

  /** Box: later strands are opened under a newer key. Those there are, and not old yet, are replaced in time. */
  handleNewKey(nowMs: number): void {
    for (const strand of this.#state.strands.values()) {
      strand.oldMs = Math.min(strand.oldMs, nowMs + this.#strandOldMs);
    }
  }

  /** The kernel's figures for a strand's connection. */
  handleStrandInfo(strand: Strand, info: StrandInfo, nowMs: number): void {
    this.#state.nowMs = nowMs;
    const moved = info.bytesAcked !== strand.bytesAcked;
    const path = this.#state.path(strand.path);
    strand.update(info, nowMs);
    notePatience(strand, path, nowMs);
    if (moved) path.addSample(strand, info.deliveryRate, info.sourceLimited, nowMs);
  }

  /** The kernel takes nothing more now, called again when it took a part; `handleWritable` when it took all. */
  handleBlocked(strand: Strand, nowMs: number): void {
    strand.blockedSinceMs = nowMs;
    strand.blocked = true;
  }

  handleWritable(strand: Strand): void {
    strand.blocked = false;
  }

  /** The local peer gave bytes: they were received into the memory that `stream.send.reserve()` named. */
  handleLocalData(stream: Stream, bytes: number, nowMs: number): void {
    this.#state.nowMs = nowMs;
    stream.gives.take(stream.send.end, stream.send.heldBytes === 0, nowMs);
    stream.send.commit(bytes);
    stream.localDry = false;
    stream.lastActiveMs = nowMs;
    this.#state.heldBytes += bytes;
    this.#state.ready(stream);
  }

  /** The local peer has nothing more to read for now. */
  handleLocalDry(stream: Stream): void {
    stream.localDry = true;
  }

  /** The local peer ended its direction (half-close). */
  handleLocalEnd(stream: Stream, nowMs: number): void {
    this.#state.nowMs = nowMs;
    if (stream.dead || stream.sendEnd >= 0) return;
    stream.sendEnd = stream.send.end;
    if (stream.send.next === stream.sendEnd) this.#state.pend(stream, 'fin');
    else this.#state.ready(stream);
  }

  /** The local peer takes bytes again. */
  handleLocalWritable(stream: Stream, nowMs: number): void {
    this.#state.nowMs = nowMs;
    if (stream.dead) return;
    stream.receive.drain((slab, at, count) => this.#state.local.deliver(stream, slab, at, count));
    this.#receiver.progress(stream);
  }

  /** The egress connection stands. */
  handleConnected(stream: Stream, nowMs: number): void {
    stream.connected = true;
    this.#state.pend(stream, 'opened');
    this.handleLocalWritable(stream, nowMs);
  }

  /** The box sees a line's carrier or configuration change: the relay is told on every other line. */
  handlePathState(pathId: number, up: boolean, metered: boolean, nowMs: number, limits: PathLimits = noLimits): void {
    const state = this.#state;
    state.nowMs = nowMs;
    const path = state.path(pathId);
    path.allowance.limit(limits.upBps, nowMs);
    if (path.up === up && path.metered === metered && path.peerLimitBps === limits.downBps) return;
    path.up = up;
    path.metered = metered;
    path.peerLimitBps = limits.downBps;
    path.sequence++;
    if (!up) for (const strand of path.strands) state.loseStrand(strand);
    state.tellPaths();
  }

  // Commands.

  /** Opens a stream to a target; its OPEN leaves at the next poll. */
  openStream(target: Target, paths: readonly number[], nowMs: number, hints: StreamHints = {}): Stream {
    const state = this.#state;
    state.nowMs = nowMs;
    const id = state.nextStream;
    state.nextStream += 2;
    const klass = classOf(target.port, hints.dscp ?? 0);
    const stream = new Stream(id, klass, target, paths, true, state.pool, state.budget, nowMs);
    state.streams.set(id, stream);
    stream.host = hints.host ?? 0;
    stream.client = hints.client;
    state.counters.streamsOpened++;
    state.stirred(stream, false);
    state.pend(stream, 'open');
    state.pend(stream, 'credit');
    if (state.streams.size === 1) this.#transmitter.hastenPings();
    return stream;
  }

  /**
   * Says something to the peer's daemon (stream 0); it leaves at the next poll. Throws BugError `MESSAGE_LENGTH` above
   * 64 KiB.
   */
  sendMessage(message: Uint8Array, nowMs: number): void {
    const state = this.#state;
    state.nowMs = nowMs;
    if (message.length > messageBytesMax) throw new BugError('MESSAGE_LENGTH', `a message of ${message.length} bytes`);
    const framed = framedMessage(message);
    for (let at = 0; at < framed.length;) {
      const { slab, start, room } = state.control.send.reserve();
      const count = Math.min(room, framed.length - at);
      slab.bytes.set(framed.subarray(at, at + count), start);
      state.control.send.commit(count);
      state.heldBytes += count;
      at += count;
    }
    state.ready(state.control);
  }

  /** Whether more may be read from the stream's local peer; if not, `Local.room` tells when. */
  mayRead(stream: Stream): boolean {
    return this.#state.mayRead(stream);
  }

  /** Asks the peer for a sign of life on every path, at the next poll. */
  probe(nowMs: number): void {
    for (const strand of this.#state.strands.values()) {
      if (strand.quick && !strand.suspect && !strand.draining) strand.pingDueMs = Math.min(strand.pingDueMs, nowMs);
    }
  }

  /** Ends a stream from this side, both directions, at once. */
  resetStream(stream: Stream, reason: ResetReason, nowMs: number): void {
    this.#state.nowMs = nowMs;
    this.#state.reset(stream, reason);
  }

  /** Ends the session: every local peer sees a reset. */
  end(nowMs: number): void {
    const state = this.#state;
    state.nowMs = nowMs;
    this.#ended = true;
    for (const stream of state.streams.values()) {
      if (stream.dead) continue;
      state.local.reset(stream, ResetReason.sessionEnded);
      state.drop(stream);
    }
    state.streams.clear();
    state.drop(state.control);
  }

  /** Looks at the clock: silence, overdue chunks, lines lost for too long. Returns false when the session is over. */
  tick(nowMs: number): boolean {
    this.#state.nowMs = nowMs;
    return this.#watch.tick();
  }

  // What goes out.

  /**
   * The next record: its frames stand behind the record's length field in `out`. Returns the strand it goes on, or
   * undefined when there is nothing to send now; {@link textLength} is its length. With `parts` the longest piece of it may
   * stand there instead of in `out`, until anything else is done with the session.
   */
  pollRecord(out: Slab, nowMs: number, parts?: Parts): Strand | undefined {
    this.#state.nowMs = nowMs;
    return this.#transmitter.poll(out, parts);
  }

  get textLength(): number {
    return this.#transmitter.textLength;
  }

  /**
   * Writes a record's frame around a body of the packet lane that stands at `body` of `bytes`: its header fills the
   * {@link frameHeaderBytes} before. The record, of so many bytes of text as are returned, goes on the strand now.
   */
  wrapDatagram(strand: Strand, bytes: Uint8Array, body: number, length: number, nowMs: number): number {
    this.#state.nowMs = nowMs;
    return this.#transmitter.wrapDatagram(strand, bytes, body, length);
  }

  #answered(strand: Strand): void {
    const state = this.#state;
    strand.state = 'answered';
    if (!strand.quick) return;
    strand.pingDueMs = state.nowMs;
    state.tellPaths();
  }
}
