/**
 * What leaves: the next record and the strand it goes on. Order of polling:
 *
 *   1. replies and probes that belong to one strand (first answer, PONG, PING, PATH)
 *   2. acknowledgements and control frames, on the quick strand with the lowest delay now
 *   3. lost chunks and new chunks, interactive streams before bulk, on the line where they arrive soonest
 *
 * The caller polls until nothing comes, seals each record and gives it to the strand's socket.
 */
import { Parts, type Slab } from '@tresse/kit';

import {
  ackDelayMsMax,
  chunkBytesMin,
  dataOverheadBytes,
  frameHeaderBytes,
  pieceCostBytesMin,
  pingSiblingMs,
  recordHeaderBytes,
  recordTextMax,
  smallChunksMax,
  strandUnsentBytesMax,
  tagBytes,
} from '../limits.ts';
import { trickleBytes } from '../line/line-fill.ts';
import { microseconds } from '../line/return-delay.ts';
import type { FairQueue } from '../scheduling/fair-queue.ts';
import { type Candidate, LineSurvey } from '../scheduling/line-survey.ts';
import type { Strand } from '../strand/strand.ts';
import type { Chunk, Control } from '../stream/chunk.ts';
import type { Stream } from '../stream/stream.ts';
import { FrameWriter, PathState } from '../wire/frame.ts';
import type { SessionState } from './session-state.ts';

/** Room a control frame may need, bytes. */
const controlRoom = 64;
/** Streams looked at for one record: whoever may use no line that is there must not cost a walk over thousands. */
const streamsLookedAtMax = 256;
/** One turn in this many goes to bulk while interactive streams are waiting: at least 10 %. */
const bulkTurn = 8;
/** While streams live a path is probed this often; idle, more seldom, ms. */
const pingBusyMs = 250;
const pingBusyMsMax = 1_000;
/** On the wire, and the share of a line's rate it may take. */
const pingCostBytes = 300;
const pingShareMax = 0.005;
const pingIdleMs = 5_000;
const pingMeteredMs = 25_000;

export class Transmitter {
  readonly #state: SessionState;
  readonly #writer: FrameWriter = new FrameWriter();
  readonly #datagrams: FrameWriter = new FrameWriter();
  readonly #survey: LineSurvey;
  #turn = 0;
  /** Where the bytes of the record's chunk stand: the caller's, or our own where it takes no parts. */
  readonly #ownBody: Parts = new Parts();
  #body: Parts = this.#ownBody;
  #textStart = 0;

  constructor(state: SessionState) {
    this.#state = state;
    this.#survey = new LineSurvey(state);
  }

  /** Length of the text of the record polled last, bytes; it stands behind the record's length field. */
  get textLength(): number {
    return this.#writer.at - this.#textStart;
  }

  /**
   * Writes the next record's frames to `out` and returns its strand, or undefined: nothing to send now. The bytes of a chunk
   * are not copied to `out` where the caller takes them from `parts`.
   */
  poll(out: Slab, parts: Parts | undefined): Strand | undefined {
    this.#body = parts ?? this.#ownBody;
    this.#body.begin(0);
    const strand = this.#pollReply(out) ?? this.#pollControl(out) ?? this.#pollData(out);
    if (!strand) return undefined;
    if (!parts) this.#body.copyTo(out.bytes);
    this.#leaves(strand, this.textLength);
    return strand;
  }

  /** See {@link Session.wrapDatagram}. */
  wrapDatagram(strand: Strand, bytes: Uint8Array, body: number, length: number): number {
    const text = frameHeaderBytes + length;
    this.#datagrams.begin(bytes, body - frameHeaderBytes, text);
    this.#datagrams.datagram(length);
    this.#leaves(strand, text);
    return text;
  }

  #leaves(strand: Strand, text: number): void {
    const wire = recordHeaderBytes + text + tagBytes;
    strand.recordsSent++;
    strand.bytesOut += wire;
    strand.unsentBytes += wire;
    this.#state.path(strand.path).allowance.spend(wire, this.#state.nowMs);
    if (strand.outstandingSinceMs === Infinity) {
      strand.outstandingSinceMs = this.#state.nowMs;
      strand.progressMs = this.#state.nowMs;
    }
    this.#state.counters.recordsOut++;
  }

  /** When the next acknowledgement or probe falls due, ms. */
  nextDueMs(): number {
    let due = Infinity;
    for (const strand of this.#state.strands.values()) {
      if (strand.state !== 'answered' || strand.blocked) continue;
      due = Math.min(due, strand.ackDueMs, strand.suspect || strand.draining ? Infinity : strand.pingDueMs);
    }
    return due;
  }

  #begin(out: Slab): void {
    this.#textStart = recordHeaderBytes;
    this.#writer.begin(out.bytes, recordHeaderBytes, recordTextMax);
  }

  #pollReply(out: Slab): Strand | undefined {
    const nowMs = this.#state.nowMs;
    for (const strand of this.#state.strands.values()) {
      if (strand.state !== 'answered' || strand.blocked || strand.unsentBytes > strandUnsentBytesMax) continue;
      const probe = !strand.suspect && !strand.draining && nowMs >= strand.pingDueMs;
      const due = strand.answerPending || strand.drainPending || strand.pongToken >= 0 || strand.pathsToTell.length > 0;
      if (!due && !probe) continue;
      this.#begin(out);
      if (strand.answerPending) {
        strand.answerPending = false;
        this.#writer.padding(0);
      }
      if (strand.drainPending) {
        strand.drainPending = false;
        this.#writer.drain();
      }
      if (strand.pongToken >= 0) {
        this.#writer.pong(strand.pongToken);
        strand.pongToken = -1;
      }
      while (strand.pathsToTell.length > 0) this.#writePath(strand, strand.pathsToTell.pop() ?? 0);
      if (probe) this.#writePing(strand);
      this.#writeAck(strand);
      return strand;
    }
    return undefined;
  }

  #writePath(strand: Strand, id: number): void {
    const path = this.#state.paths.get(id);
    if (!path) return;
    strand.pathsTold.set(id, { sequence: path.sequence, record: strand.recordsSent });
    this.#writer.path(id, path.sequence, path.up ? PathState.up : PathState.down, path.metered, path.peerLimitBps);
  }

  #writePing(strand: Strand): void {
    const nowMs = this.#state.nowMs;
    // The first that is not answered is what is measured, or a way longer than the gap between two would never be.
    if (strand.pingToken < 0) {
      strand.pingToken = strand.recordsSent;
      strand.pingSentMs = nowMs;
    }
    this.#writer.ping(strand.pingToken);
    strand.pingDueMs = nowMs + this.#pingGapMs(strand);
  }

  #pingGapMs(strand: Strand): number {
    if (!strand.quick) return this.#state.side === 'box' ? pingSiblingMs : Infinity;
    const path = this.#state.path(strand.path);
    if (path.metered) return pingMeteredMs;
    if (this.#state.streams.size === 0) return pingIdleMs;
    // The box's proves both ways; the relay needs few of its own while it sends next to nothing there and TCP tells it the round trip.
    if (this.#state.side === 'relay' && !path.proxied && path.outstandingBytes(this.#state.nowMs) <= trickleBytes)
      return pingBusyMsMax;
    // A PING, its PONG and what acknowledges them: little of a feeble line either.
    const rate = path.measuredRate;
    const costMs = rate > 0 ? (pingCostBytes * 1_000) / (rate * pingShareMax) : 0;
    return Math.min(Math.max(pingBusyMs, costMs), pingBusyMsMax);
  }

  /** Streams began to live: probe the paths at the busy pace from now on. */
  hastenPings(): void {
    const soon = this.#state.nowMs + pingBusyMs;
    for (const strand of this.#state.strands.values()) {
      if (strand.quick && !this.#state.path(strand.path).metered) strand.pingDueMs = Math.min(strand.pingDueMs, soon);
    }
  }

  #writeAck(strand: Strand): void {
    this.#writer.ack(strand.id, strand.recordsReceived, microseconds(this.#state.nowMs));
    strand.ackDueMs = Infinity;
    strand.ackSentMs = this.#state.nowMs;
    strand.bytesSinceAck = 0;
  }

  #pollControl(out: Slab): Strand | undefined {
    const state = this.#state;
    let ackDue = false;
    for (const strand of state.strands.values()) ackDue ||= strand.ackDueMs <= state.nowMs;
    if (!ackDue && state.pending.length === 0) return this.#pollEcho(out);
    const carrier = this.#quickest();
    if (!carrier) return undefined;
    this.#begin(out);
    if (ackDue) this.#writeDueAcks(carrier);
    for (let n = state.pending.length; n > 0 && !state.logFull && this.#writer.room > 4 * controlRoom; n--) {
      const control = state.pending.shift();
      if (control) this.#writeControl(carrier, control);
    }
    return this.textLength > 0 ? carrier : undefined;
  }

  #writeDueAcks(carrier: Strand): void {
    const state = this.#state;
    for (const strand of state.strands.values()) {
      // What is due soon goes along: it saves a record.
      if (strand.ackDueMs === Infinity || this.#writer.room < controlRoom) continue;
      this.#writeAck(strand);
      const path = state.path(strand.path);
      if (strand.path !== carrier.path && state.nowMs - path.ackedHereMs > Math.max(path.rttMs, 10)) {
        path.echoStrand = strand;
      }
    }
    state.path(carrier.path).ackedHereMs = state.nowMs;
  }

  /** Once per round trip an acknowledgement also rides its own path: the carrier of all others may be dying. */
  #pollEcho(out: Slab): Strand | undefined {
    for (const path of this.#state.paths.values()) {
      const strand = path.echoStrand;
      if (!strand) continue;
      path.echoStrand = undefined;
      path.ackedHereMs = this.#state.nowMs;
      const quick = path.quick();
      if (!quick || !quick.usable || strand.state === 'closed') continue;
      this.#begin(out);
      this.#writer.ack(strand.id, strand.recordsReceived, microseconds(this.#state.nowMs));
      return quick;
    }
    return undefined;
  }

  #writeControl(strand: Strand, control: Control): void {
    control.pending = false;
    const stream = control.stream;
    if (stream.dead && control.kind !== 'reset' && control.kind !== 'open') return;
    if (control.kind === 'open') this.#writeOpen(strand, stream);
    else {
      this.#writeOpenCopy(strand, stream);
      switch (control.kind) {
        case 'opened':
          this.#writer.opened(stream.id);
          break;
        case 'fin':
          this.#writer.fin(stream.id, stream.sendEnd);
          break;
        case 'reset':
          this.#writer.reset(stream.id, stream.resetReason);
          break;
        case 'credit':
          this.#writer.credit(stream.id, stream.credit.limit);
          break;
      }
      control.outstanding++;
      control.acked = false;
      this.#state.log(strand, control);
    }
  }

  #writeOpen(strand: Strand, stream: Stream): void {
    if (stream.openAcked || stream.openCarriedBy.includes(strand.id)) return;
    const control = stream.control('open');
    this.#writer.open(stream.id, stream.klass, stream.paths, stream.target, stream.host, stream.client);
    stream.openCarriedBy.push(strand.id);
    control.outstanding++;
    this.#state.log(strand, control);
  }

  /** Until an OPEN is acknowledged, each strand's first frame of that stream has a copy before it. */
  #writeOpenCopy(strand: Strand, stream: Stream): void {
    if (stream.opener && !stream.openAcked) this.#writeOpen(strand, stream);
  }

  /** The quick strand whose frames arrive soonest now; any other where no path has a quick one. */
  #quickest(): Strand | undefined {
    let best: Strand | undefined;
    let bestMs = Infinity;
    for (const path of this.#state.paths.values()) {
      if (!path.usable || this.#state.spares(path)) continue;
      const strand = path.quick() ?? path.bulk(this.#state.nowMs);
      if (!strand?.usable || strand.unsentBytes > strandUnsentBytesMax) continue;
      const ms = path.delayMs + (path.unsentBytes * 1_000) / path.rate();
      if (ms < bestMs) {
        bestMs = ms;
        best = strand;
      }
    }
    return best;
  }

  #pollData(out: Slab): Strand | undefined {
    const state = this.#state;
    if (state.logFull) {
      state.counters.withheld++;
      return undefined;
    }
    if (state.urgent.length > 0 && this.#survey.look(false) > 0) {
      const strand = this.#pollQueue(out, state.urgent);
      if (strand) return strand;
    }
    if (state.interactive.length === 0 && state.bulk.length === 0) return undefined;
    const bulkFirst = ++this.#turn % bulkTurn === 0;
    for (let pass = 0; pass < 2; pass++) {
      const bulk = (pass === 0) === bulkFirst;
      const queue = bulk ? state.bulk : state.interactive;
      if (queue.length === 0 || this.#survey.look(bulk) === 0) continue;
      const strand = this.#pollQueue(out, queue);
      if (strand) return strand;
    }
    return undefined;
  }

  /** The first of the queue's streams, in turn, that has a line for its next chunk. */
  #pollQueue(out: Slab, queue: FairQueue): Strand | undefined {
    for (let n = Math.min(queue.length, streamsLookedAtMax); n > 0; n--) {
      const stream = queue.shift();
      if (!stream) break;
      stream.queued = false;
      const strand = stream.dead ? undefined : this.#pollStream(out, stream);
      queue.charge(stream, strand ? this.textLength : 0);
      this.#state.ready(stream);
      queue.settle();
      if (strand) return strand;
    }
    return undefined;
  }

  #pollStream(out: Slab, stream: Stream): Strand | undefined {
    const lost = stream.send.firstLost();
    const urgent = lost ? this.#pollLost(out, stream, lost) : undefined;
    if (urgent) return urgent;
    const sendable = stream.sendableBytes;
    if (sendable <= 0) return undefined;
    if (sendable < pieceCostBytesMin && stream.send.chunksOutstanding >= smallChunksMax) return undefined;
    const all = (stream.localDry || stream.sendEnd >= 0) && stream.creditLimit >= stream.send.end;
    const line = this.#survey.forNew(stream, this.#leftOf(stream, all) * this.#turnsToShare);
    if (!line) return undefined;
    // Nothing of a record is there before all of it is: what a stream begins with is not to wait for what follows.
    const size = stream.send.next === 0 ? Math.min(line.size, chunkBytesMin) : line.size;
    const chunk = stream.send.cut(stream, Math.min(sendable, size));
    this.#state.outstanding.add(stream);
    this.#state.payloadBytes += chunk.length;
    this.#begin(out);
    this.#writeChunk(line, line.strand, stream, chunk);
    if (stream.sendEnd === stream.send.next && !stream.control('fin').pending) {
      this.#writeControl(line.strand, stream.control('fin'));
    }
    return line.strand;
  }

  /**
   * What is left to send, bytes. Where the end is not known: most streams are short, so until one has shown that it is not,
   * what there is; then as much again as was sent. No line carries for it that would be the last to end.
   */
  #leftOf(stream: Stream, all: boolean): number {
    const { sendableBytes } = stream;
    if (all || !this.#state.isBulk(stream)) return sendableBytes;
    return this.#state.policy.expectsAsMuch ? Math.max(sendableBytes, stream.send.next) : Infinity;
  }

  /** How many streams take turns on the lines, this one included: its last byte waits for as much of each of the others. */
  get #turnsToShare(): number {
    const { interactive, bulk, policy } = this.#state;
    return policy.countsOthers ? 1 + interactive.length + bulk.length : 1;
  }

  /**
   * A lost chunk holds up everything behind it: it goes to the line where it arrives soonest, be it one that must be
   * waited for, and not to the one that lost it, until that is heard again. New bytes may use the other lines meanwhile.
   */
  #pollLost(out: Slab, stream: Stream, chunk: Chunk): Strand | undefined {
    const heardMs = this.#state.paths.get(chunk.path)?.lastHeardMs ?? -Infinity;
    const line = this.#survey.forLost(stream, chunk.length, heardMs > chunk.lostMs ? 0 : chunk.path);
    if (!line) return undefined;
    stream.send.takeLost();
    this.#begin(out);
    // Past what stands unsent in the bulk strand, where the quick one has the room.
    const quick = line.path.quick();
    const strand = quick?.usable === true && quick.roomBytes >= chunk.length ? quick : line.strand;
    this.#writeChunk(line, strand, stream, chunk);
    return strand;
  }

  #writeChunk(line: Candidate, strand: Strand, stream: Stream, chunk: Chunk): void {
    const nowMs = this.#state.nowMs;
    this.#writeOpenCopy(strand, stream);
    const at = this.#writer.data(stream.id, chunk.offset, chunk.length);
    this.#body.begin(at);
    stream.send.locate(chunk, this.#body);
    chunk.sends++;
    chunk.path = strand.path;
    chunk.strand = strand.id;
    chunk.sentMs = nowMs;
    const queuedMs = ((line.unsentBytes + chunk.length + dataOverheadBytes) * 1_000) / line.rate;
    chunk.dueMs = nowMs + queuedMs + line.delayMs + line.path.bareDelayMs + ackDelayMsMax;
    strand.flight.give(chunk, nowMs);
    if (stream.send.head === chunk) stream.progressMs = nowMs;
    stream.lastActiveMs = nowMs;
    this.#state.stirred(stream, false);
    this.#state.log(strand, chunk);
  }
}
