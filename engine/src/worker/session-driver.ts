/** Drives one session in the worker's loop: the kernel's figures in, records out, one timer. */
import { limits, Session, type Side, type Strand, type StrandInfo, type StrandRole } from '@tresse/core';
import { Parts, type Slab, type SlabPool } from '@tresse/kit';
import { type EventLoop, nativeSlab, TcpInfo, type Timer } from '@tresse/sys';

import type { LogFields, LogLevel, PathStatus, SessionStatus } from '../api.ts';
import type { HeldStream, Holder } from './memory-governor.ts';
import { RateMeter } from './rate-meter.ts';
import type { StrandOwner, StrandSocket } from './strand-socket.ts';
import { type Connect, type OnStreamEnd, StreamSockets } from './stream-sockets.ts';

/**
 * The kernel's figures are read this often, ms: a few times in the shortest round trip. Between two readings no strand gets more than
 * its window had room for at the first, so rarer readings than round trips would be what bounds a short line's rate.
 */
const sampleGapMsMax = 2;
const sampleGapMsMin = 0.2;
const samplesPerRtt = 4;
/** What comes in for one session may take so long in one turn, ms: others have theirs too. */
const receiveMsMax = 4;
/** Records and bytes sent for one session in one turn: others have theirs too. */
const recordsMax = 256;
const sentBytesMax = 1_048_576;
/** A strand that takes nothing for this long is closed, ms. */
const blockedMsMax = 30_000;
/** An opening that is not answered, ms. */
const answerMsMax = 5_000;
const sweepGapMs = 500;
/** A strand that takes nothing new is closed after this long without a word, ms. */
const drainedMs = 1_000;
/** Segments emptier than this are acknowledgements and requests, not a transfer. */
const fillMin = 0.8;

export type Log = (level: LogLevel, text: string, fields: LogFields) => void;

/** What the owner of a session wants to hear. */
export interface DriverEvents {
  onPath(path: number, suspect: boolean): void;
  /** The peer's daemon says something. */
  onMessage?(bytes: Uint8Array): void;
  onAnswered(strand: Strand): void;
  /** A body of the packet lane came in a strand of a path; it is there during the call. */
  onDatagram?(path: number, slab: Slab, start: number, length: number): void;
  /** See {@link OnStreamEnd}. */
  onStreamEnd?: OnStreamEnd;
  onStrandClosed(strand: Strand, socket: StrandSocket, reason: string): void;
  /** The session has been without a line for too long: nothing is done for it until {@link SessionDriver.end} or a new strand. */
  onOver(): void;
}

/** One out buffer serves all strands: a record is sealed, sent and what is left of it copied away. */
const out: Slab = nativeSlab(limits.recordBytesMax);
/** Where a record's chunk stands, which is sealed from there. */
const parts: Parts = new Parts();
const kernel = new TcpInfo();
const info: { -readonly [K in keyof StrandInfo]: StrandInfo[K] } = {
  rttMs: 0,
  minRttMs: 0,
  unsentBytes: 0,
  unackedSegments: 0,
  segmentsInFlight: 0,
  bytesInFlight: 0,
  segmentsIn: 0,
  bytesAcked: 0,
  deliveryRate: 0,
  sourceLimited: false,
  windowBytes: 0,
};

export class SessionDriver implements StrandOwner, Holder {
  readonly peer: string;
  readonly session: Session;
  readonly sockets: StreamSockets;
  readonly #loop: EventLoop;
  readonly #log: Log;
  readonly #events: DriverEvents;
  readonly #strands = new Map<Strand, StrandSocket>();
  readonly #meter: RateMeter = new RateMeter();
  readonly #timer: Timer;
  /** This side opens strands, and so closes those that are replaced. */
  readonly #opens: boolean;
  #sampledMs = 0;
  #sampleGapMs = sampleGapMsMax;
  #sweptMs = 0;
  #dirty = false;
  /** Strands ended by what was no record of the peer's. */
  #recordsRefused = 0;
  #turnMs = 0;
  #turnTookMs = 0;

  constructor(
    side: Side,
    peer: string,
    loop: EventLoop,
    pool: SlabPool,
    connect: Connect,
    log: Log,
    events: DriverEvents,
    strandOldMs?: number,
  ) {
    this.peer = peer;
    this.#opens = side === 'box';
    this.#loop = loop;
    this.#log = log;
    this.#events = events;
    this.sockets = new StreamSockets(
      loop,
      connect,
      () => this.touch(),
      (bytes) => events.onMessage?.(bytes),
      (stream, reason) => events.onStreamEnd?.(stream, reason),
    );
    this.session = new Session(
      {
        side,
        local: this.sockets,
        pool,
        onPath: (path) => events.onPath(path.id, path.suspect),
        onDatagram: (path, slab, start, length) => events.onDatagram?.(path, slab, start, length),
        ...(strandOldMs !== undefined && { strandOldMs }),
      },
      loop.nowMs,
    );
    this.sockets.attach(this.session);
    this.#timer = loop.timer(() => this.#onTime());
    this.#timer.at(loop.nowMs);
  }

  /** Something changed that the session may answer: it is polled at the end of this turn. */
  touch(): void {
    this.#dirty = true;
  }

  /** Says something to the peer's daemon. */
  say(bytes: Uint8Array): void {
    this.session.sendMessage(bytes, this.#loop.nowMs);
    this.touch();
  }

  /** Takes an authenticated connection in as a strand. */
  addStrand(socket: StrandSocket, id: number, path: number, role: StrandRole): Strand {
    const strand = this.session.handleStrandUp(id, path, role, this.#loop.nowMs);
    socket.strand = strand;
    this.#strands.set(strand, socket);
    this.touch();
    return strand;
  }

  /** Sends a body of the packet lane in a strand; see {@link SendInStrand}. */
  sendDatagram(strand: Strand, slab: Slab, length: number): void {
    const socket = this.#strands.get(strand);
    if (!socket) return;
    const { nowMs } = this.#loop;
    const body = limits.recordHeaderBytes + limits.frameHeaderBytes;
    socket.sendRecord(slab, this.session.wrapDatagram(strand, slab.bytes, body, length, nowMs));
    this.#timer.at(this.session.nextTimeoutMs(nowMs));
  }

  closeStrand(strand: Strand, reason: string): void {
    this.#strands.get(strand)?.close(reason);
  }

  /** Ends everything: streams see a reset, strands are closed. */
  end(reason: string): void {
    this.#timer.cancel();
    this.session.end(this.#loop.nowMs);
    this.closeStrands(reason);
  }

  closeStrands(reason: string): void {
    for (const socket of this.#strands.values()) socket.close(reason);
  }

  mayReceive(): boolean {
    const nowMs = this.#loop.nowMs;
    if (nowMs !== this.#turnMs) {
      this.#turnMs = nowMs;
      this.#turnTookMs = 0;
    }
    return this.#turnTookMs < receiveMsMax;
  }

  received(tookMs: number): void {
    this.#turnTookMs += tookMs;
  }

  /** Buffers of strands and what the kernel has not sent of them, bytes. */
  get ownBytes(): number {
    let sum = 0;
    for (const [strand, socket] of this.#strands) sum += socket.ownBytes + strand.unsentBytes;
    return sum;
  }

  /** What each stream holds, here and in the kernel. */
  held(): HeldStream[] {
    return this.sockets.held();
  }

  onRecord(socket: StrandSocket, slab: Slab, start: number, end: number): string | undefined {
    const strand = socket.strand;
    if (!strand) return 'record without strand';
    const opening = strand.state === 'opening';
    const wrong = this.session.handleRecord(strand, slab, start, end, this.#loop.nowMs);
    if (wrong === undefined && opening) this.#events.onAnswered(strand);
    this.touch();
    return wrong;
  }

  onWritable(socket: StrandSocket): void {
    if (socket.strand) this.session.handleWritable(socket.strand);
    this.touch();
  }

  onBlocked(socket: StrandSocket): void {
    if (socket.strand) this.session.handleBlocked(socket.strand, this.#loop.nowMs);
  }

  onClosed(socket: StrandSocket, reason: string): void {
    const strand = socket.strand;
    if (!strand) return;
    this.#strands.delete(strand);
    if (socket.forged) this.#recordsRefused++;
    this.session.handleStrandDown(strand, this.#loop.nowMs);
    this.#log('info', 'strand closed', { strand: strand.id, path: strand.path, reason });
    this.#events.onStrandClosed(strand, socket, reason);
    this.touch();
  }

  /** Called after every turn of the loop: sends what there is to send. */
  afterBatch(): void {
    if (!this.#dirty || this.session.ended) return;
    this.#dirty = false;
    const nowMs = this.#loop.nowMs;
    if (nowMs - this.#sampledMs >= this.#sampleGapMs) this.#sample(nowMs);
    let bytes = 0;
    for (let i = 0; i < recordsMax && bytes < sentBytesMax; i++) {
      const strand = this.session.pollRecord(out, nowMs, parts);
      if (!strand) {
        this.#timer.at(this.session.nextTimeoutMs(nowMs));
        return;
      }
      const { textLength } = this.session;
      this.#strands.get(strand)?.sendRecord(out, textLength, parts);
      bytes += textLength;
    }
    this.#dirty = true;
    this.#loop.again();
  }

  status(uplinkOf: (path: number) => string | undefined): SessionStatus {
    const paths: PathStatus[] = [];
    for (const path of this.session.paths.values()) {
      const uplink = uplinkOf(path.id);
      const rates = this.#meter.rates(path.id);
      paths.push({
        path: path.id,
        ...(uplink === undefined ? {} : { uplink }),
        state: !path.up ? 'down' : path.suspect ? 'suspect' : path.answered ? 'up' : 'connecting',
        rttMs: path.rttMs,
        minRttMs: path.minRttMs,
        rateInBps: rates.inBps,
        rateOutBps: rates.outBps,
        estimateBps: path.measuredRate * 8,
        bytesIn: path.bytesIn,
        bytesOut: path.bytesOut,
        suspicions: path.suspicions,
        udp: path.udp.shown(this.#loop.nowMs),
        strands: path.strands.map((s) => ({
          strand: s.id,
          role: s.quick ? 'quick' : s.datagram ? 'datagram' : 'bulk',
          state: s.suspect ? 'suspect' : s.state,
          rttMs: s.rttMs,
          bytesIn: s.bytesIn,
          bytesOut: s.bytesOut,
        })),
      });
    }
    return {
      peer: this.peer,
      streams: this.session.streams.size,
      paths,
      counters: { ...this.session.counters, recordsRefused: this.#recordsRefused },
    };
  }

  #onTime(): void {
    const nowMs = this.#loop.nowMs;
    this.#sample(nowMs);
    if (!this.session.tick(nowMs)) {
      this.#events.onOver();
      return;
    }
    for (const [strand, socket] of this.#strands) socket.pace(strand.paceBytesPerSecond);
    if (nowMs - this.#sweptMs >= sweepGapMs) this.sweep(nowMs);
    this.#dirty = true;
  }

  #sample(nowMs: number): void {
    this.#sampledMs = nowMs;
    let shortestMs = sampleGapMsMax * samplesPerRtt;
    for (const [strand, socket] of this.#strands) {
      if (!kernel.read(socket.fd)) continue;
      info.rttMs = kernel.rttUs / 1_000;
      info.minRttMs = kernel.minRttUs === 0xffff_ffff ? 0 : kernel.minRttUs / 1_000;
      if (info.minRttMs > 0) shortestMs = Math.min(shortestMs, info.minRttMs);
      info.unsentBytes = kernel.unsentBytes + socket.waitingBytes;
      info.unackedSegments = kernel.unackedSegments;
      info.segmentsInFlight = kernel.segmentsInFlight;
      info.bytesInFlight = kernel.bytesInFlight;
      info.segmentsIn = kernel.segmentsIn;
      info.bytesAcked = kernel.bytesAcked;
      const fill = socket.fill.update(kernel.bytesSent, kernel.dataSegmentsOut, kernel.unackedSegments, kernel.sndMss);
      // A trickle says nothing of the line, however long its round trip is: that may be the other direction's queue.
      info.deliveryRate = fill >= fillMin ? kernel.deliveryRate * fill : 0;
      info.sourceLimited = kernel.deliveryRateAppLimited;
      info.windowBytes = kernel.sndCwnd * kernel.sndMss;
      this.session.handleStrandInfo(strand, info, nowMs);
    }
    this.#sampleGapMs = Math.max(sampleGapMsMin, shortestMs / samplesPerRtt);
  }

  /** Closes strands that take nothing, are not answered or were replaced; called some times a second. */
  sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    this.sockets.sweep(nowMs);
    this.#meter.sample(this.session.paths.values(), nowMs);
    for (const [strand, socket] of this.#strands) {
      if (strand.blocked && nowMs - strand.blockedSinceMs > blockedMsMax) socket.close('takes nothing');
      else if (strand.state === 'opening' && nowMs - strand.openedMs > answerMsMax) socket.close('not answered');
      else if (this.#opens && strand.drained && nowMs - strand.lastHeardMs > drainedMs)
        socket.close('replaced by a fresh one');
      else if (this.#opens && strand.datagram && !this.session.paths.get(strand.path)?.udp.wantsStrand)
        socket.close('datagrams get through again');
    }
  }
}
