/**
 * One direction of a TCP connection as Linux does it, with what matters to a braid: an ordered pipe with a send buffer, paced
 * and windowed by bbr, whose losses are found by time of sending and repaired a round trip later, while everything behind
 * them waits at the other end; the probe of a lost tail, the time-out and its back-off while the line is dead. Runs of
 * segments of up to a few milliseconds travel together: two events each, one where it arrives, one where its acknowledgement does.
 */
import { segmentBytes } from '@tresse/core';
import { NumberedQueue } from '@tresse/kit';

import { Bbr } from './bbr.ts';
import type { Clock } from './clock.ts';
import type { Direction, Line } from './line.ts';
import { LossDetection } from './loss-detection.ts';
import { type Piece, segmentsOf } from './piece.ts';
import { TcpReceiver } from './tcp-receiver.ts';

const pieceMs = 2;
const pieceBytesMax = 65_536;
const pieceBytesMin: number = 2 * segmentBytes;
/** What the queue drops is sent again in runs of this, bytes. */
const droppedBytes: number = 4 * segmentBytes;
/** Linux: 200 ms above the round trip at least, and the connection is given up by TCP_USER_TIMEOUT. */
const timeoutMsMin = 200;
const giveUpMs = 30_000;
const backOffMax = 64;
/** The tail's probe comes after two round trips. */
const probeRtts = 2;

/** What a half tells the connection it belongs to. */
export interface HalfEvents {
  /** Whether a piece that arrives finds the receiving end open; else it is answered by a reset. */
  readonly receives: () => boolean;
  /** The connection passes nothing (a NAT forgot it) although the line is well. */
  readonly swallowed: () => boolean;
  readonly onWhole: (content: Uint8Array) => void;
  /** More bytes are in order at the other end. */
  readonly onBytes?: (bytes: number) => void;
  /** The sender's figures have changed. */
  readonly onAcked: () => void;
  readonly onRefused: () => void;
  readonly onGivenUp: () => void;
}

export class TcpHalf {
  readonly #clock: Clock;
  readonly #line: Line;
  readonly #way: Direction;
  readonly #back: Direction;
  readonly #events: HalfEvents;
  readonly #receiver: TcpReceiver = new TcpReceiver();
  readonly #losses: LossDetection = new LossDetection();
  readonly #bbr: Bbr;
  readonly #flight: NumberedQueue<Piece> = new NumberedQueue();
  #lost: Piece[] = [];
  #written = 0;
  #sent = 0;
  #acked = 0;
  #inFlight = 0;
  #delivered = 0;
  #deliveredMs: number;
  #flightSinceMs: number;
  #limitedUntil = 0;
  /** Loss recovery ends when this much is acknowledged. */
  #recoversAt = 0;
  #rttVarMs: number;
  #timerAtMs = Infinity;
  #probed = false;
  #backOff = 1;
  /** When the count of acknowledged bytes last moved. */
  #advancedMs = 0;
  #progressMs = 0;
  #nextSendMs = 0;
  #pacingSet = false;
  #ended = false;
  /** As SO_MAX_PACING_RATE, bytes per ms. */
  paceMax: number = Infinity;
  rttMs: number;
  minRttMs: number;
  /** Acknowledgements the sender has had. */
  segmentsIn = 0;
  deliveryRate = 0;
  sourceLimited = true;

  constructor(clock: Clock, line: Line, way: Direction, back: Direction, rttMs: number, events: HalfEvents) {
    this.#clock = clock;
    this.#line = line;
    this.#way = way;
    this.#back = back;
    this.#events = events;
    this.rttMs = rttMs;
    this.minRttMs = rttMs;
    this.#rttVarMs = rttMs / 2;
    this.#bbr = new Bbr(rttMs, clock.nowMs);
    this.#deliveredMs = clock.nowMs;
    this.#flightSinceMs = clock.nowMs;
  }

  /** Bytes per ms. */
  get #pacing(): number {
    return Math.min(this.#bbr.pacing, this.paceMax);
  }

  get unsentBytes(): number {
    return this.#written - this.#sent;
  }

  get unackedSegments(): number {
    return segmentsOf(this.#sent - this.#acked);
  }

  get bytesInFlight(): number {
    return this.#inFlight;
  }

  get segmentsInFlight(): number {
    return segmentsOf(this.#inFlight);
  }

  get bytesAcked(): number {
    return this.#acked;
  }

  get windowBytes(): number {
    return Math.floor(this.#bbr.windowBytes / segmentBytes) * segmentBytes;
  }

  /** Segments that have arrived: the other end counts them as received. */
  get segmentsOut(): number {
    return this.#receiver.segments;
  }

  /** Takes a record of `bytes` on the wire with its content. */
  write(content: Uint8Array, bytes: number): void {
    const { nowMs } = this.#clock;
    if (this.#sent === this.#acked) {
      this.#progressMs = nowMs;
      this.#bbr.handleRestart();
    }
    // As tcp_rate_check_app_limited: nothing was waiting, and the window has room.
    if (this.#sent === this.#written && this.#inFlight < this.#bbr.windowBytes && this.#lost.length === 0) {
      this.#limitedUntil = Math.max(1, this.#delivered + this.#inFlight);
    }
    this.#written += bytes;
    this.#receiver.expectContent(this.#written, content);
    this.#push();
  }

  /** Nothing is sent or handed over any more. */
  end(): void {
    this.#ended = true;
    this.#receiver.end();
  }

  #push(): void {
    const { nowMs } = this.#clock;
    while (!this.#ended && (this.#lost.length > 0 || this.#sent < this.#written)) {
      if (nowMs < this.#nextSendMs) return this.#pushAt(this.#nextSendMs);
      const room = this.#bbr.windowBytes - this.#inFlight;
      if (room < segmentBytes && this.#inFlight > 0) return;
      const bytes = this.#sendAgain() || this.#sendNew(room);
      this.#nextSendMs = Math.max(nowMs, this.#nextSendMs) + bytes / this.#pacing;
    }
  }

  #pushAt(atMs: number): void {
    if (this.#pacingSet) return;
    this.#pacingSet = true;
    this.#clock.at(atMs, () => {
      this.#pacingSet = false;
      this.#push();
    });
  }

  /** Sends the first lost piece again; returns its bytes, 0 where there is none. */
  #sendAgain(): number {
    for (let piece = this.#lost.shift(); piece; piece = this.#lost.shift()) {
      if (piece.acked || !piece.lost) continue;
      piece.lost = false;
      piece.retransmitted = true;
      this.#transmit(piece);
      return piece.end - piece.start;
    }
    return 0;
  }

  /** Sends a run of new bytes; returns how many. */
  #sendNew(room: number): number {
    if (this.#sent === this.#written) return 0;
    const paced = Math.floor(this.#pacing * pieceMs);
    const most = Math.min(Math.max(room, segmentBytes), Math.max(paced, pieceBytesMin), pieceBytesMax);
    const whole = Math.floor(most / segmentBytes) * segmentBytes;
    const from = this.#sent;
    const end = Math.min(this.#written, from + whole);
    if (this.#sent === this.#acked) {
      this.#flightSinceMs = this.#clock.nowMs;
      this.#deliveredMs = this.#clock.nowMs;
    }
    while (this.#sent < end) this.#sendRun(end);
    return end - from;
  }

  /** Sends the next bytes that fare alike, up to `end`. */
  #sendRun(end: number): void {
    const room = Math.floor(this.#way.roomBytes(this.#clock.nowMs) / segmentBytes) * segmentBytes;
    if (room < Math.min(segmentBytes, end - this.#sent)) {
      this.#leaves(this.#next(Math.min(end, this.#sent + droppedBytes)));
      return;
    }
    const until = Math.min(end, this.#sent + Math.max(room, segmentBytes));
    const even = this.#way.evenSegments(segmentsOf(until - this.#sent)) * segmentBytes;
    if (even > 0) this.#launch(this.#next(Math.min(until, this.#sent + even)), false);
    if (this.#sent >= until) return;
    const odd = this.#next(Math.min(until, this.#sent + segmentBytes));
    if (this.#way.oddIsLost()) {
      this.#leaves(odd);
      this.#way.send(odd.end - odd.start, false, this.#clock.nowMs);
    } else this.#launch(odd, true);
  }

  #next(end: number): Piece {
    const piece: Piece = {
      start: this.#sent,
      end,
      sentMs: 0,
      order: 0,
      retransmitted: false,
      arrived: false,
      acked: false,
      lost: false,
      deliveredThen: 0,
      deliveredThenMs: 0,
      flightSinceMs: 0,
      sourceLimited: false,
    };
    this.#sent = end;
    this.#flight.push(end, piece);
    this.#receiver.expect(piece);
    return piece;
  }

  /** Sends a piece that shares one fate. */
  #transmit(piece: Piece): void {
    const bytes = piece.end - piece.start;
    const { nowMs } = this.#clock;
    // Longer than the whole queue is no reason: where nothing waits its segments leave one by one.
    if (this.#way.roomBytes(nowMs) < bytes && this.#way.queueMs(nowMs) > 0) this.#leaves(piece);
    else if (this.#way.evenSegments(segmentsOf(bytes)) * segmentBytes >= bytes) this.#launch(piece, false);
    else if (this.#way.oddIsLost()) {
      this.#leaves(piece);
      this.#way.send(bytes, false, nowMs);
    } else this.#launch(piece, true);
  }

  #leaves(piece: Piece): void {
    const { nowMs } = this.#clock;
    this.#inFlight += piece.end - piece.start;
    piece.sentMs = nowMs;
    piece.deliveredThen = this.#delivered;
    piece.deliveredThenMs = this.#deliveredMs;
    piece.flightSinceMs = this.#flightSinceMs;
    piece.sourceLimited = this.#limitedUntil > 0;
    this.#losses.sent(piece);
    this.#setTimer();
  }

  #launch(piece: Piece, stray: boolean): void {
    const { nowMs } = this.#clock;
    const { life, alive } = this.#line;
    this.#leaves(piece);
    if (!alive) return;
    this.#clock.at(this.#way.send(piece.end - piece.start, stray, nowMs), () => this.#arrive(piece, life));
  }

  #arrive(piece: Piece, life: number): void {
    const line = this.#line;
    const { nowMs } = this.#clock;
    if (this.#ended || !line.carries(life) || this.#events.swallowed()) return;
    if (!this.#events.receives()) {
      this.#clock.at(nowMs + line.delayMs, () => {
        if (line.carries(life)) this.#events.onRefused();
      });
      return;
    }
    const receiver = this.#receiver;
    const before = receiver.received;
    receiver.take(piece);
    if (receiver.received > before) this.#events.onBytes?.(receiver.received - before);
    const atMs = this.#back.acknowledge(nowMs);
    if (atMs !== undefined) {
      const { received } = receiver;
      const { news, twice } = receiver.report();
      this.#clock.at(atMs, () => this.#acknowledge(news, twice, received, life));
    }
    let content = receiver.takeContent();
    while (content) {
      this.#events.onWhole(content);
      content = !this.#ended && this.#events.receives() ? receiver.takeContent() : undefined;
    }
  }

  #acknowledge(news: readonly Piece[], twice: boolean, received: number, life: number): void {
    if (this.#ended || !this.#line.carries(life) || this.#events.swallowed()) return;
    const { nowMs } = this.#clock;
    this.#progressMs = nowMs;
    const before = this.#delivered;
    let newest: Piece | undefined;
    let rttMs = 0;
    for (const piece of news) {
      this.segmentsIn += Math.ceil(segmentsOf(piece.end - piece.start) / 2);
      if (!this.#take(piece, nowMs)) continue;
      if (!piece.retransmitted) rttMs = nowMs - piece.sentMs;
      if (!newest || piece.order > newest.order) newest = piece;
    }
    if (news.length === 0) this.segmentsIn++;
    if (twice) {
      this.#losses.needless(this.rttMs, nowMs);
      this.#bbr.handleNeedless();
      this.#recoversAt = this.#acked;
    }
    if (received > this.#acked) this.#advance(received, nowMs);
    if (rttMs > 0) this.#takeRoundTrip(rttMs);
    const lostBytes = this.#losses.detect(this.#lost, this.minRttMs, this.rttMs, nowMs);
    this.#tellBbr(newest, this.#delivered - before, lostBytes, rttMs);
    this.#setTimer();
    this.#push();
    this.#events.onAcked();
  }

  /** A piece is known to have arrived; false when it was known before. */
  #take(piece: Piece, nowMs: number): boolean {
    if (piece.acked) return false;
    piece.acked = true;
    const bytes = piece.end - piece.start;
    if (!piece.lost) this.#inFlight -= bytes;
    piece.lost = false;
    this.#delivered += bytes;
    this.#deliveredMs = nowMs;
    this.#losses.acked(piece, this.minRttMs, nowMs);
    return true;
  }

  #advance(received: number, nowMs: number): void {
    this.#acked = received;
    this.#advancedMs = nowMs;
    this.#backOff = 1;
    this.#probed = false;
    while (this.#flight.headNumber() <= received) {
      const piece = this.#flight.shift();
      // Word of it was lost with the line.
      if (piece) this.#take(piece, nowMs);
    }
  }

  #takeRoundTrip(rttMs: number): void {
    this.#rttVarMs += (Math.abs(rttMs - this.rttMs) - this.#rttVarMs) / 4;
    this.rttMs += (rttMs - this.rttMs) / 8;
    this.minRttMs = Math.min(this.minRttMs, rttMs);
  }

  #tellBbr(newest: Piece | undefined, ackedBytes: number, lostBytes: number, rttMs: number): void {
    const { nowMs } = this.#clock;
    this.#inFlight -= lostBytes;
    if (lostBytes > 0 && this.#recoversAt <= this.#acked) this.#recoversAt = this.#sent;
    if (this.#limitedUntil > 0 && this.#delivered > this.#limitedUntil) this.#limitedUntil = 0;
    let rate = 0;
    if (newest) {
      const spanMs = Math.max(newest.sentMs - newest.flightSinceMs, nowMs - newest.deliveredThenMs);
      this.#flightSinceMs = newest.sentMs;
      // As tcp_rate_gen: what is shorter than a round trip is no sample.
      // It counts segments: one of a few bytes is a whole one.
      const bytes = Math.max(segmentBytes, this.#delivered - newest.deliveredThen);
      if (spanMs >= this.minRttMs) rate = bytes / spanMs;
      if (rate > 0 && (!newest.sourceLimited || rate * 1_000 >= this.deliveryRate)) {
        this.deliveryRate = rate * 1_000;
        this.sourceLimited = newest.sourceLimited;
      }
    }
    this.#bbr.handleAck(
      {
        ackedBytes,
        lostBytes,
        rate,
        sourceLimited: newest?.sourceLimited ?? true,
        deliveredThen: newest?.deliveredThen ?? 0,
        delivered: this.#delivered,
        inFlight: this.#inFlight,
        rttMs,
        recovering: this.#recoversAt > this.#acked,
      },
      nowMs,
    );
  }

  /** The probe of a tail of which nothing is known to be lost, once; else the retransmission time-out. */
  get #probing(): boolean {
    return !this.#probed && this.#backOff === 1 && this.#recoversAt <= this.#acked;
  }

  get #dueMs(): number {
    const head = this.#flight.at(0);
    if (!head) return Infinity;
    if (this.#losses.dueMs < Infinity) return this.#losses.dueMs;
    const sinceMs = Math.max(head.sentMs, this.#advancedMs);
    const timeoutMs = (this.rttMs + Math.max(timeoutMsMin, 4 * this.#rttVarMs)) * this.#backOff;
    if (!this.#probing) return sinceMs + timeoutMs;
    const last = this.#flight.at(this.#flight.length - 1) ?? head;
    return Math.min(sinceMs + timeoutMs, Math.max(last.sentMs, this.#advancedMs) + probeRtts * this.rttMs + 2);
  }

  #setTimer(): void {
    const dueMs = this.#dueMs;
    if (this.#ended || dueMs >= this.#timerAtMs || dueMs === Infinity) return;
    this.#timerAtMs = dueMs;
    this.#clock.at(dueMs, () => {
      if (this.#timerAtMs !== dueMs) return;
      this.#timerAtMs = Infinity;
      this.#fire();
    });
  }

  #fire(): void {
    const { nowMs } = this.#clock;
    const head = this.#flight.at(0);
    if (this.#ended || !head) return;
    // A little early is rounding; what came meanwhile put it off.
    if (this.#dueMs > nowMs + 0.001) this.#setTimer();
    else if (this.#losses.dueMs < Infinity) {
      const lostBytes = this.#losses.detect(this.#lost, this.minRttMs, this.rttMs, nowMs);
      this.#tellBbr(undefined, 0, lostBytes, 0);
      this.#push();
      this.#setTimer();
    } else if (this.#probing) {
      this.#probed = true;
      this.#probeTail();
      this.#setTimer();
    } else if (nowMs - this.#progressMs > giveUpMs) this.#events.onGivenUp();
    else this.#timeOut(nowMs);
  }

  /** Something new, whatever the window says, or the last piece again: what comes back tells what is lost. */
  #probeTail(): void {
    if (this.#sent < this.#written) {
      this.#sendNew(segmentBytes);
      return;
    }
    const last = this.#flight.at(this.#flight.length - 1);
    if (!last || last.acked || last.lost) return;
    this.#inFlight -= last.end - last.start;
    last.retransmitted = true;
    this.#transmit(last);
  }

  #timeOut(nowMs: number): void {
    this.#backOff = Math.min(this.#backOff * 2, backOffMax);
    this.#inFlight = 0;
    this.#lost = [];
    this.#losses.clear();
    this.#recoversAt = this.#sent;
    this.#bbr.handleTimeout();
    for (let i = 0; i < this.#flight.length; i++) {
      const piece = this.#flight.at(i);
      if (!piece || piece.acked) continue;
      piece.lost = true;
      this.#lost.push(piece);
    }
    this.#nextSendMs = nowMs;
    this.#push();
    this.#setTimer();
  }
}
