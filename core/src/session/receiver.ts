/** What arrives: frames of authenticated records. Everything here is idempotent, and nothing of a peer's throws. */
import type { Slab } from '@tresse/kit';

import { ackDelayMsMax, chunkBytesMax, creditFloorBytes, streamsMax } from '../limits.ts';
import type { Path } from '../line/path.ts';
import type { Strand } from '../strand/strand.ts';
import type { Chunk } from '../stream/chunk.ts';
import { CreditRenewal } from '../stream/credit-renewal.ts';
import type { Deliver } from '../stream/receive-buffer.ts';
import { Stream } from '../stream/stream.ts';
import {
  type FrameSink,
  PathState,
  readFrames,
  ResetReason,
  type StreamClass,
  type Target,
  type Violation,
} from '../wire/frame.ts';
import type { SessionState } from './session-state.ts';

/**
 * On a bulk strand an acknowledgement falls due after so many bytes or milliseconds, in order or not: between lines of
 * different delay a gap is the rule, and each acknowledgement costs the line it answers one of TCP's too.
 */
const ackAfterBytes = 65_536;
/** A slow uplink spends at most this share on acknowledgements. */
const ackShareMax = 0.02;
/** What an acknowledgement costs on the line: record, segment and IP header, bytes. */
const ackCostBytes = 100;
const ackSpacingMsMax = 20;

export class Receiver implements FrameSink {
  readonly renewal: CreditRenewal;
  readonly #state: SessionState;
  #strand: Strand | undefined;
  #slab: Slab | undefined;
  #asksForAck = false;
  #acknowledges = false;
  /** Paths the record at work says are down: what they owe is looked through once, however often it says so. */
  readonly #fallen: Set<Path> = new Set();
  /** Whose bytes are being put in order; they are handed on by one function for all, so that no record needs one of its own. */
  #delivering: Stream | undefined;
  readonly #deliver: Deliver = (slab, start, length) =>
    this.#delivering ? this.deliver(this.#delivering, slab, start, length) : 0;

  constructor(state: SessionState) {
    this.#state = state;
    this.renewal = new CreditRenewal(state);
  }

  /** Reads the frames at [start, end) of an authenticated record. A violation means: close the strand. */
  handleRecord(strand: Strand, slab: Slab, start: number, end: number): Violation | undefined {
    const state = this.#state;
    strand.heardRecord(state.nowMs);
    strand.recordsReceived++;
    strand.bytesIn += end - start;
    state.counters.recordsIn++;
    this.#strand = strand;
    this.#slab = slab;
    this.#asksForAck = false;
    this.#acknowledges = false;
    const wrong = readFrames(slab.bytes, start, end, this);
    this.#settleRecord();
    if (wrong !== undefined) {
      strand.recordsReceived--;
      state.counters.violations++;
      return wrong;
    }
    if (this.#asksForAck) this.#scheduleAck(strand, end - start);
    return undefined;
  }

  /** What is done once for a record, although each of its thousands of frames may ask for it. */
  #settleRecord(): void {
    const state = this.#state;
    if (this.#acknowledges && state.paused.size > 0) state.resumePaused();
    if (this.#fallen.size > 0) this.#loseFallen();
  }

  #loseFallen(): void {
    for (const path of this.#fallen) {
      if (path.up) continue;
      for (const strand of path.strands) this.#state.loseStrand(strand);
    }
    this.#fallen.clear();
  }

  onOpen(
    id: number,
    klass: number,
    paths: readonly number[],
    target: Target,
    host: number,
    client?: Target,
  ): Violation | undefined {
    this.#asksForAck = true;
    const state = this.#state;
    const known = state.used.state(id);
    if (known === 'impossible' || id === 0) return 'stream-number';
    if (known === 'used') return undefined;
    if (state.streams.size >= streamsMax * 2) return 'streams-exceeded';
    state.used.use(id);
    const stream = new Stream(id, klass as StreamClass, target, paths, false, state.pool, state.budget, state.nowMs);
    stream.host = host;
    stream.client = client;
    state.streams.set(id, stream);
    state.counters.streamsOpened++;
    if (state.streams.size > streamsMax || !state.opens.take(state.nowMs)) state.reset(stream, ResetReason.limit);
    else {
      state.stirred(stream, true);
      state.pend(stream, 'credit');
      state.local.connect(stream);
    }
    return undefined;
  }

  onOpened(id: number): Violation | undefined {
    this.#asksForAck = true;
    const stream = this.#find(id);
    return typeof stream === 'string' ? stream : undefined;
  }

  onData(id: number, offset: number, start: number, length: number): Violation | undefined {
    this.#asksForAck = true;
    const stream = this.#find(id);
    if (typeof stream === 'string') return stream;
    if (!stream || stream.dead || !this.#slab) return this.#tooLate();
    const end = offset + length;
    if (end > stream.credit.limit || length > chunkBytesMax + 1_024) return 'credit-exceeded';
    if (stream.receiveEnd >= 0 && end > stream.receiveEnd) return 'offset-beyond-end';
    // The sender's small chunks may cost a floor more than their bytes, and so may what the local peer took in part.
    if (stream.receive.costBytes > stream.credit.windowBytes + 2 * creditFloorBytes) return 'piece-cost';
    stream.lastActiveMs = this.#state.nowMs;
    stream.takes.take(stream.receive.next, !stream.receive.waits, this.#state.nowMs);
    this.#state.stirred(stream, true);
    if (this.#strand && !this.#strand.quick) this.#state.path(this.#strand.path).bulkCameMs = this.#state.nowMs;
    this.#delivering = stream;
    const fresh = stream.receive.accept(offset, this.#slab, start, length, this.#deliver);
    if (stream === this.#state.control && this.#state.inbox.broken) return 'message-length';
    if (this.#state.messageRefused) {
      this.#state.messageRefused = false;
      return 'message-rate';
    }
    this.#state.counters.bytesReceivedTwice += length - fresh;
    this.#growCredit(stream, end);
    this.progress(stream);
    return undefined;
  }

  /** More credit at once where a hole, and not the reader, holds up what has come. */
  #growCredit(stream: Stream, highest: number): void {
    const { credit, receive, receiveEnd } = stream;
    if (receiveEnd >= 0 || receive.waits) return;
    const state = this.#state;
    if (credit.receive(highest, receive.next, state.longestRttMs(), state.nowMs)) state.pend(stream, 'credit');
  }

  onFin(id: number, end: number): Violation | undefined {
    this.#asksForAck = true;
    if (id === 0) return 'stream-number';
    const stream = this.#find(id);
    if (typeof stream === 'string') return stream;
    if (!stream || stream.dead) return this.#tooLate();
    if (stream.receiveEnd >= 0 && stream.receiveEnd !== end) return 'end-changed';
    if (end < stream.receive.next) return 'end-changed';
    stream.receiveEnd = end;
    this.progress(stream);
    return undefined;
  }

  onReset(id: number, reason: number): Violation | undefined {
    this.#asksForAck = true;
    if (id === 0) return 'stream-number';
    const stream = this.#find(id);
    if (typeof stream === 'string') return stream;
    if (!stream) return undefined;
    if (!stream.dead) {
      this.#state.local.reset(stream, reason);
      this.#state.drop(stream);
    }
    this.#state.forget(stream);
    return undefined;
  }

  onCredit(id: number, limit: number): Violation | undefined {
    this.#asksForAck = true;
    const stream = this.#find(id);
    if (typeof stream === 'string') return stream;
    if (!stream || stream.dead) return undefined;
    if (limit > stream.creditLimit) {
      stream.creditLimit = limit;
      this.#state.ready(stream);
      this.#state.resume(stream);
    }
    return undefined;
  }

  onAck(strandId: number, records: number, sentUs: number): Violation | undefined {
    const state = this.#state;
    // On a bulk strand it may have waited behind its sender's own bytes.
    if (sentUs >= 0 && this.#strand?.quick === true) state.path(this.#strand.path).takeReturn(sentUs, state.nowMs);
    const strand = state.strands.get(strandId);
    if (!strand) return undefined;
    if (records > strand.recordsSent) return 'ack-beyond-sent';
    if (records <= strand.recordsAcked) return undefined;
    strand.recordsAcked = records;
    if (strand !== this.#strand && !strand.suspect) this.#gotThrough(strand);
    let newest: Chunk | undefined;
    while (strand.sent.headNumber() < records) {
      const item = state.takeLogged(strand);
      if (item?.kind === 'chunk' && item.strand === strandId) newest = item;
      if (item) state.acknowledged(item);
    }
    if (newest) {
      strand.flight.acknowledge(newest, state.nowMs);
      state.path(strand.path).addAcked(strand, newest, state.nowMs);
    }
    if (strand.sent.length === 0) strand.flight.settle();
    for (const [id, { sequence, record }] of strand.pathsTold) {
      const path = state.paths.get(id);
      if (path && record < records) path.sequenceKnown = Math.max(path.sequenceKnown, sequence);
    }
    this.#acknowledges = true;
    return undefined;
  }

  /** Word that a record went through: it left the peer when that had come, at the latest. */
  #gotThrough(strand: Strand): void {
    const { nowMs } = this.#state;
    const thenMs = nowMs - (this.#strand ? this.#state.path(this.#strand.path).delayMs : 0);
    strand.recordHeardMs = Math.max(strand.recordHeardMs, thenMs);
    // Elsewhere the strand's own segments tell, and this may be old news of a line that has died since.
    if (strand.recordsOnly) strand.lastHeardMs = Math.max(strand.lastHeardMs, thenMs);
  }

  onPath(id: number, sequence: number, pathState: number, metered: boolean, rateBps: number): Violation | undefined {
    this.#asksForAck = true;
    if (rateBps < 0) return 'number-too-large';
    const state = this.#state;
    if (state.side === 'box' || id === 0) return undefined;
    // Word of a line may come before its first strand.
    const path = state.path(id);
    if (sequence <= path.sequence) return undefined;
    path.sequence = sequence;
    path.metered = metered;
    path.allowance.limit(rateBps, state.nowMs);
    const up = pathState !== PathState.down;
    if (path.up === up) return undefined;
    path.up = up;
    if (!up) this.#fallen.add(path);
    return undefined;
  }

  onPing(token: number): Violation | undefined {
    this.#asksForAck = true;
    if (this.#strand) this.#strand.pongToken = token;
    return undefined;
  }

  onPong(token: number): Violation | undefined {
    const strand = this.#strand;
    if (!strand || strand.pingToken !== token) return undefined;
    strand.pingToken = -1;
    const { nowMs } = this.#state;
    const path = this.#state.path(strand.path);
    // Behind bulk an answer tells of the queue, after an outage of the outage.
    if (!strand.quick || strand.pingSentMs < path.suspectSinceMs) return undefined;
    path.takePing(nowMs - strand.pingSentMs, nowMs);
    // Before bulk is given it should be known whether a proxy takes it.
    if (path.wantsPings) strand.pingDueMs = nowMs;
    return undefined;
  }

  onDatagram(start: number, length: number): Violation | undefined {
    const { datagrams } = this.#state;
    if (!this.#slab || !datagrams || this.#strand?.datagram !== true) return 'frame-unknown';
    datagrams(this.#strand.path, this.#slab, start, length);
    return undefined;
  }

  onDrain(): Violation | undefined {
    this.#asksForAck = true;
    const strand = this.#strand;
    if (!strand || strand.retiring) return undefined;
    strand.retiring = true;
    strand.retiringSinceMs = this.#state.nowMs;
    // A bulk strand that carries does so until another one is warm.
    strand.draining = strand.quick || strand.datagram;
    return undefined;
  }

  /** Hands in-order bytes to whom they are for; returns how many are taken now. */
  deliver(stream: Stream, slab: Slab, start: number, length: number): number {
    const { control, inbox, local } = this.#state;
    return stream === control ? inbox.take(slab, start, length) : local.deliver(stream, slab, start, length);
  }

  /** Delivered bytes become credit; the end in order is told to the local peer. */
  progress(stream: Stream): void {
    const state = this.#state;
    if (stream.dead || !stream.connected) return;
    this.renewal.renew(stream);
    if (stream.receiveEnd >= 0 && !stream.endDelivered && stream.receive.next === stream.receiveEnd) {
      stream.endDelivered = true;
      state.unacked.delete(stream);
      state.local.ended(stream);
      state.settle(stream);
    }
  }

  /** The stream; undefined when its number was used and it is gone; a violation when it never was. */
  #find(id: number): Stream | undefined | Violation {
    const stream = id === 0 ? this.#state.control : this.#state.streams.get(id);
    if (stream) return stream;
    const ours = this.#state.side === 'box' ? id % 2 === 1 : id % 2 === 0;
    if (ours) return id < this.#state.nextStream ? undefined : 'stream-without-open';
    return this.#state.used.state(id) === 'used' ? undefined : 'stream-without-open';
  }

  /** A frame of a stream that is gone: counted, and its record acknowledged as usual. */
  #tooLate(): undefined {
    this.#state.counters.framesTooLate++;
  }

  #scheduleAck(strand: Strand, bytes: number): void {
    const nowMs = this.#state.nowMs;
    strand.bytesSinceAck += bytes;
    const path = this.#state.path(strand.path);
    const rate = path.measuredRate;
    const spacingMs = rate > 0 ? Math.min(ackSpacingMsMax, (ackCostBytes * 1_000) / (rate * ackShareMax)) : 0;
    const due = strand.quick || strand.bytesSinceAck >= ackAfterBytes ? nowMs : nowMs + ackDelayMsMax;
    strand.ackDueMs = Math.min(strand.ackDueMs, Math.max(due, strand.ackSentMs + spacingMs));
  }
}
