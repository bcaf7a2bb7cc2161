/**
 * One direction of a TCP connection, crude but with what matters to a braid: an ordered pipe with a send buffer, a window
 * that starts at ten segments and doubles per round trip until it fills the line (then about one and a half times what the
 * line holds, as bbr), a hole that holds back everything behind it for a round trip or, now and then, for a
 * retransmission time-out, and exponential back-off while the line is dead. Pieces of up to a few milliseconds stand for
 * runs of segments: two events each, one where it arrives, one where its acknowledgement does.
 */
import { NumberedQueue, type Prng, WindowedMax } from '@tresse/kit';

import type { Clock } from './clock.ts';
import type { Direction, Line } from './line.ts';

const segmentBytes = 1_448;
const windowFirst = 10 * segmentBytes;
/** Of the bandwidth-delay product, once the line is known to be full (bbr_cwnd_gain). */
const windowGain = 2;
const pieceMs = 2;
const pieceBytesMax = 65_536;
/** Linux: 200 ms at least, and the connection is given up by TCP_USER_TIMEOUT. */
const timeoutMsMin = 200;
const giveUpMs = 30_000;
/** How often a retransmission is lost too, so that only the time-out repairs the hole. */
const lostAgain = 0.1;

interface Piece {
  readonly start: number;
  readonly end: number;
  sentMs: number;
  /** Which transmission counts. */
  attempt: number;
  arrived: boolean;
  acked: boolean;
  deliveredThen: number;
  deliveredThenMs: number;
  sourceLimited: boolean;
}

/** What a half tells the connection it belongs to. */
export interface HalfEvents {
  /** Whether a piece that arrives finds the receiving end open; else it is answered by a reset. */
  readonly receives: () => boolean;
  /** The connection passes nothing (a NAT forgot it) although the line is well. */
  readonly swallowed: () => boolean;
  readonly onWhole: (content: Uint8Array) => void;
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
  readonly #prng: Prng;
  readonly #events: HalfEvents;
  /** Contents by the offset of their end; handed over whole when the last byte is in order. */
  readonly #contents: NumberedQueue<Uint8Array> = new NumberedQueue();
  readonly #flight: NumberedQueue<Piece> = new NumberedQueue();
  readonly #resend: Piece[] = [];
  /** Gone with the line; sent again when a later one is acknowledged, or by the time-out. */
  #gone: Piece[] = [];
  readonly #rate: WindowedMax;
  /** bbr's shortest round trip is that of the last ten seconds. */
  readonly #inverseRtt = new WindowedMax(10_000);
  #bandwidth = 0;
  #written = 0;
  #sent = 0;
  #acked = 0;
  #received = 0;
  #inFlight = 0;
  #window = windowFirst;
  #filled = false;
  #delivered = 0;
  #deliveredMs = 0;
  #limitedUntil = 0;
  #lastArrivalMs = 0;
  #timerSet = false;
  #timedOut = false;
  #backOff = 1;
  #progressMs = 0;
  #ended = false;
  rttMs: number;
  minRttMs: number;
  /** Acknowledgements the sender has had. */
  segmentsIn = 0;
  /** Segments that have arrived: the other end counts them as received. */
  segmentsOut = 0;
  deliveryRate = 0;
  sourceLimited = true;

  constructor(
    clock: Clock,
    line: Line,
    way: Direction,
    back: Direction,
    prng: Prng,
    rttMs: number,
    events: HalfEvents,
  ) {
    this.#clock = clock;
    this.#line = line;
    this.#way = way;
    this.#back = back;
    this.#prng = prng;
    this.#events = events;
    this.rttMs = rttMs;
    this.minRttMs = rttMs;
    this.#rate = new WindowedMax(Math.max(2_000, 10 * rttMs));
    this.#deliveredMs = clock.nowMs;
  }

  get unsentBytes(): number {
    return this.#written - this.#sent;
  }

  get unackedSegments(): number {
    return Math.ceil((this.#sent - this.#acked) / segmentBytes);
  }

  get bytesInFlight(): number {
    return this.#inFlight;
  }

  get segmentsInFlight(): number {
    return Math.ceil(this.#inFlight / segmentBytes);
  }

  get bytesAcked(): number {
    return this.#acked;
  }

  get windowBytes(): number {
    return Math.floor(this.#window / segmentBytes) * segmentBytes;
  }

  /** Takes a record of `bytes` on the wire with its content. */
  write(content: Uint8Array, bytes: number): void {
    if (this.#sent === this.#acked) this.#progressMs = this.#clock.nowMs;
    // As tcp_rate_check_app_limited: nothing was waiting, and the window has room.
    if (this.#sent === this.#written && this.#inFlight < this.#window) {
      this.#limitedUntil = Math.max(1, this.#delivered + this.#inFlight);
    }
    this.#written += bytes;
    this.#contents.push(this.#written, content);
    this.#push();
  }

  /** Nothing is sent or handed over any more. */
  end(): void {
    this.#ended = true;
    this.#contents.clear();
  }

  #push(): void {
    if (this.#timedOut || this.#ended) return;
    for (let piece = this.#resend.shift(); piece; piece = this.#resend.shift()) if (!piece.acked) this.#transmit(piece);
    const pieceBytes = Math.min(pieceBytesMax, Math.max(2 * segmentBytes, Math.floor(this.#way.rate * pieceMs)));
    while (this.#sent < this.#written) {
      const room = Math.floor(this.#window - this.#inFlight);
      if (room < segmentBytes && this.#inFlight > 0) return;
      const bytes = Math.min(this.#written - this.#sent, Math.max(room, segmentBytes), pieceBytes);
      const piece: Piece = {
        start: this.#sent,
        end: this.#sent + bytes,
        sentMs: 0,
        attempt: 0,
        arrived: false,
        acked: false,
        deliveredThen: 0,
        deliveredThenMs: 0,
        sourceLimited: false,
      };
      this.#sent = piece.end;
      this.#flight.push(piece.end, piece);
      this.#transmit(piece);
    }
  }

  #transmit(piece: Piece): void {
    const { nowMs } = this.#clock;
    const line = this.#line;
    if (this.#inFlight === 0) this.#deliveredMs = nowMs;
    this.#inFlight += piece.end - piece.start;
    piece.sentMs = nowMs;
    piece.deliveredThen = this.#delivered;
    piece.deliveredThenMs = this.#deliveredMs;
    piece.sourceLimited = this.#limitedUntil > 0;
    const attempt = ++piece.attempt;
    if (!line.alive) {
      this.#gone.push(piece);
      this.#setTimer(nowMs);
      return;
    }
    const queueMs = this.#way.queueMs(nowMs);
    const dropped = queueMs > line.queueMs;
    if (dropped || queueMs > Math.max(10, this.minRttMs / 2)) this.#filled = true;
    const leftMs = dropped ? nowMs + queueMs : this.#way.send(piece.end - piece.start, nowMs);
    let arrivalMs = Math.max(this.#lastArrivalMs, leftMs + line.delayMs + line.jitterMs * this.#prng.float());
    this.#lastArrivalMs = arrivalMs;
    const segments = Math.ceil((piece.end - piece.start) / segmentBytes);
    if (dropped || (line.lossRatio > 0 && this.#prng.chance(1 - (1 - line.lossRatio) ** segments))) {
      arrivalMs += this.#prng.chance(lostAgain) ? this.#prng.int(300, 1_300) : this.rttMs + 5;
    }
    const { life } = line;
    this.#clock.at(arrivalMs, () => this.#arrive(piece, attempt, life));
  }

  #arrive(piece: Piece, attempt: number, life: number): void {
    if (this.#ended || piece.attempt !== attempt) return;
    const line = this.#line;
    if (!line.carries(life) || this.#events.swallowed()) {
      this.#gone.push(piece);
      this.#setTimer(piece.sentMs);
      return;
    }
    if (!this.#events.receives()) {
      this.#clock.at(this.#clock.nowMs + line.delayMs, () => {
        if (line.carries(life)) this.#events.onRefused();
      });
      return;
    }
    piece.arrived = true;
    this.segmentsOut += Math.ceil((piece.end - piece.start) / segmentBytes);
    for (let i = 0; i < this.#flight.length; i++) {
      const next = this.#flight.at(i);
      if (!next?.arrived) break;
      if (next.end > this.#received) this.#received = next.end;
    }
    const { nowMs } = this.#clock;
    const received = this.#received;
    this.#clock.at(nowMs + this.#back.queueMs(nowMs) + line.delayMs, () => this.#acknowledge(piece, received, life));
    while (!this.#ended && this.#events.receives() && this.#contents.headNumber() <= this.#received) {
      const content = this.#contents.shift();
      if (content) this.#events.onWhole(content);
    }
  }

  #acknowledge(piece: Piece, received: number, life: number): void {
    if (this.#ended) return;
    if (!this.#line.carries(life) || this.#events.swallowed()) {
      this.#setTimer(piece.sentMs);
      return;
    }
    const { nowMs } = this.#clock;
    const bytes = piece.end - piece.start;
    this.segmentsIn += Math.ceil(bytes / segmentBytes / 2);
    this.#progressMs = nowMs;
    if (this.#leave(piece)) {
      this.#deliveredMs = nowMs;
      if (piece.attempt === 1) this.#sample(piece, nowMs);
    }
    if (received > this.#acked) {
      this.#acked = received;
      // Some acknowledgements of their own were lost with the line.
      while (this.#flight.headNumber() <= received) this.#leave(this.#flight.shift());
      this.#backOff = 1;
      this.#timedOut = false;
    }
    if (!this.#timedOut && this.#gone.length > 0) this.#repair(piece.sentMs);
    this.#push();
    this.#events.onAcked();
  }

  /** Selective acknowledgement: what was sent before a piece that has arrived is known to be lost. */
  #repair(sentMs: number): void {
    const gone = this.#gone;
    this.#gone = gone.filter((p) => p.sentMs >= sentMs);
    for (const piece of gone) {
      if (piece.sentMs >= sentMs || piece.acked || piece.arrived) continue;
      this.#inFlight = Math.max(0, this.#inFlight - (piece.end - piece.start));
      this.#transmit(piece);
    }
  }

  /** A piece is known to have arrived; false when it was known before. */
  #leave(piece: Piece | undefined): boolean {
    if (!piece || piece.acked) return false;
    piece.acked = true;
    const bytes = piece.end - piece.start;
    this.#inFlight = Math.max(0, this.#inFlight - bytes);
    this.#delivered += bytes;
    return true;
  }

  #sample(piece: Piece, nowMs: number): void {
    const rtt = nowMs - piece.sentMs;
    this.rttMs = this.rttMs * 0.875 + rtt * 0.125;
    this.minRttMs = Math.min(this.minRttMs, rtt);
    if (this.#limitedUntil > 0 && this.#delivered > this.#limitedUntil) this.#limitedUntil = 0;
    const bytes = this.#delivered - piece.deliveredThen;
    const spanMs = Math.max(nowMs - piece.deliveredThenMs, 0.1);
    this.deliveryRate = (bytes * 1_000) / spanMs;
    this.sourceLimited = piece.sourceLimited;
    // As bbr_update_bw: what the source limited only counts when it is more; the maximum is aged by samples, not by time.
    if (!piece.sourceLimited || this.deliveryRate >= this.#bandwidth) {
      this.#rate.add(this.deliveryRate, nowMs);
      this.#bandwidth = this.#rate.get(nowMs);
    }
    this.#inverseRtt.add(1 / Math.max(rtt, 0.01), nowMs);
    if (this.#filled) {
      const bareMs = 1 / this.#inverseRtt.get(nowMs);
      this.#window = Math.max(windowFirst, (this.#bandwidth * bareMs * windowGain) / 1_000 + 4 * segmentBytes);
    } else if (2 * (this.#inFlight + piece.end - piece.start) >= this.#window) {
      // As tcp_is_cwnd_limited in slow start: half of the window used is enough.
      this.#window += piece.end - piece.start;
    }
  }

  get #timeoutMs(): number {
    return Math.max(timeoutMsMin, this.rttMs * 1.5) * this.#backOff;
  }

  #setTimer(sentMs: number): void {
    if (this.#timerSet || this.#ended) return;
    this.#timerSet = true;
    this.#clock.at(sentMs + this.#timeoutMs, () => this.#timeOut());
  }

  #timeOut(): void {
    this.#timerSet = false;
    const head = this.#flight.at(0);
    const { nowMs } = this.#clock;
    if (this.#ended || !head) return;
    if (head.sentMs + this.#timeoutMs > nowMs + 0.001) {
      this.#setTimer(head.sentMs);
      return;
    }
    if (nowMs - this.#progressMs > giveUpMs) {
      this.#events.onGivenUp();
      return;
    }
    this.#timedOut = true;
    this.#backOff = Math.min(this.#backOff * 2, 64);
    this.#inFlight = 0;
    this.#window = windowFirst;
    this.#filled = false;
    this.#resend.length = 0;
    this.#gone = [];
    for (let i = 1; i < this.#flight.length; i++) {
      const piece = this.#flight.at(i);
      if (piece && !piece.acked) this.#resend.push(piece);
    }
    this.#transmit(head);
    this.#setTimer(nowMs);
  }
}
