import { NumberedQueue, WindowedMax } from '@tresse/kit';

import { RecordFlight } from '../line/record-flight.ts';
import type { SentItem } from '../stream/chunk.ts';
import { StrandRole } from '../wire/opening.ts';

/** What the kernel says of a strand's TCP connection (TCP_INFO). */
export interface StrandInfo {
  readonly rttMs: number;
  readonly minRttMs: number;
  /** Bytes in the send buffer that were never sent. */
  readonly unsentBytes: number;
  /** Segments sent and not acknowledged. */
  readonly unackedSegments: number;
  /** Those of them that are on their way: neither lost nor arrived behind a loss. */
  readonly segmentsInFlight: number;
  /** What those carry: acknowledgements and probes have segments of their own, and fill no line. */
  readonly bytesInFlight: number;
  /** Segments received, of any kind: the proof of life. */
  readonly segmentsIn: number;
  /** Bytes the other end's TCP has acknowledged; stands still through loss recovery. */
  readonly bytesAcked: number;
  /** Kernel's latest delivery rate, bytes per second; 0 when it has none. */
  readonly deliveryRate: number;
  /** That rate was limited by what we gave, not by the line. */
  readonly sourceLimited: boolean;
  readonly windowBytes: number;
}

/** Bytes of a full segment on a line with an MTU of 1,500 and time stamps. */
export const segmentBytes = 1_448;
/** Nothing acknowledged for this long, and so many smoothed round trips, while something is on its way: loss recovery. */
const stuckMsMin = 150;
const stuckRtts = 2;
/** A loss narrows a window for a round trip or two: what it was counts for so long, ms. */
const widestMs = 3_000;

export type StrandState = 'opening' | 'answered' | 'closed';

/** One TCP connection over one path: what was sent and is not acknowledged, what was received and must be acknowledged. */
export class Strand {
  readonly id: number;
  readonly path: number;
  readonly role: StrandRole;
  state: StrandState;
  readonly openedMs: number;
  /** From then on it is to be replaced: a newer key came some time before. */
  oldMs: number = Infinity;
  /** It is being replaced, and carries until others do. */
  retiring = false;
  retiringSinceMs = 0;
  /** Nothing new goes here; ends in its closing. */
  draining = false;
  /** The peer is to be told of it. */
  drainPending = false;
  /** The kernel takes nothing now; a partly written record waits in the engine. */
  blocked = false;
  /** When the kernel last took something while it had something to take. */
  blockedSinceMs = 0;

  // Sending.
  recordsSent = 0;
  recordsAcked = 0;
  readonly sent: NumberedQueue<SentItem> = new NumberedQueue();
  bytesOut = 0;
  readonly flight: RecordFlight = new RecordFlight();

  // Receiving.
  recordsReceived = 0;
  ackDueMs: number = Infinity;
  ackSentMs = 0;
  bytesSinceAck = 0;
  bytesIn = 0;

  // Replies and probes: one pending each.
  pongToken = -1;
  readonly pathsToTell: number[] = [];
  /** By path: which state of it was told here last, and in which record. */
  readonly pathsTold: Map<number, { readonly sequence: number; readonly record: number }> = new Map();
  answerPending = false;
  pingDueMs = 0;
  pingSentMs = 0;
  pingToken = -1;

  // The kernel's view.
  rttMs = 0;
  minRttMs = 0;
  unsentBytes = 0;
  unackedSegments = 0;
  segmentsInFlight = 0;
  bytesInFlight = 0;
  segmentsIn = 0;
  bytesAcked = 0;
  windowBytes: number = 14_480;
  readonly #widest: WindowedMax = new WindowedMax(widestMs);
  /** It was the one that carries before. */
  hasCarried = false;

  /** It is to leave no faster than this; Infinity: as fast as the kernel sees fit. */
  paceBytesPerSecond: number = Infinity;

  // Evidence of life.
  lastHeardMs: number;
  /** When a record came here, or word of one that went. */
  recordHeardMs: number;
  /** Since when an answer is owed; Infinity when none is. */
  owedSinceMs: number = Infinity;
  /** A proxy acknowledges: its segments are no sign of life. */
  #recordsOnly = false;
  /** Since when something is outstanding without a break; Infinity when nothing is. */
  outstandingSinceMs: number = Infinity;
  /** When bytesAcked last moved, or nothing was outstanding. */
  progressMs: number;
  suspect = false;
  /** What its line had to carry when it was heard last, or began to wait, ms. */
  drainMs = 0;

  constructor(id: number, path: number, role: StrandRole, state: StrandState, nowMs: number) {
    this.id = id;
    this.path = path;
    this.role = role;
    this.state = state;
    this.openedMs = nowMs;
    this.lastHeardMs = nowMs;
    this.recordHeardMs = nowMs;
    this.progressMs = nowMs;
  }

  /** Nothing is on its way any more and nothing new comes: it may be closed. */
  get drained(): boolean {
    return this.draining && !this.drainPending && this.sent.length === 0 && this.unsentBytes === 0;
  }

  get quick(): boolean {
    return this.role === StrandRole.quick;
  }

  /** It carries packets where UDP does not get through, and nothing of streams. */
  get datagram(): boolean {
    return this.role === StrandRole.datagram;
  }

  /** May carry frames at all. */
  get usable(): boolean {
    return this.state === 'answered' && !this.suspect && !this.blocked && !this.draining;
  }

  /** What its congestion window still takes at once, bytes; below 0 when more stands here than it takes. */
  get roomBytes(): number {
    return this.windowBytes - this.segmentsInFlight * segmentBytes - this.unsentBytes;
  }

  /** Its congestion window, as it was before a loss, bytes. */
  widestBytes(nowMs: number): number {
    return Math.max(this.windowBytes, this.#widest.get(nowMs));
  }

  get paced(): boolean {
    return this.paceBytesPerSecond !== Infinity;
  }

  /** Loss recovery holds everything behind it: nothing acknowledged for longer than a round trip explains. */
  stuck(nowMs: number): boolean {
    return this.unackedSegments > 0 && nowMs - this.progressMs > Math.max(stuckMsMin, stuckRtts * this.rttMs);
  }

  get recordsOnly(): boolean {
    return this.#recordsOnly;
  }

  /** Whether only records count as heard, from now on and so far. */
  set recordsOnly(only: boolean) {
    if (this.#recordsOnly === only) return;
    this.#recordsOnly = only;
    if (!only) return;
    this.lastHeardMs = this.recordHeardMs;
    this.outstandingSinceMs = this.owedSinceMs;
  }

  /** The peer shall answer: frames are not acknowledged, or a PING. */
  get owes(): boolean {
    return this.sent.length > 0 || this.pingToken >= 0;
  }

  /** Notes a record's arrival. */
  heardRecord(nowMs: number): void {
    this.recordHeardMs = nowMs;
    if (this.owedSinceMs !== Infinity) this.owedSinceMs = nowMs;
    this.heard(nowMs);
  }

  /** Notes a sign of life. */
  heard(nowMs: number): void {
    this.lastHeardMs = nowMs;
    this.suspect = false;
    if (this.outstandingSinceMs !== Infinity) this.outstandingSinceMs = nowMs;
  }

  update(info: StrandInfo, nowMs: number): void {
    if (info.segmentsIn !== this.segmentsIn) {
      this.segmentsIn = info.segmentsIn;
      if (!this.#recordsOnly) this.heard(nowMs);
    }
    this.rttMs = info.rttMs;
    this.minRttMs = info.minRttMs;
    this.unsentBytes = info.unsentBytes;
    this.unackedSegments = info.unackedSegments;
    this.segmentsInFlight = info.segmentsInFlight;
    this.bytesInFlight = info.bytesInFlight;
    this.windowBytes = info.windowBytes;
    this.#widest.add(info.windowBytes, nowMs);
    const outstanding = info.unackedSegments > 0 || info.unsentBytes > 0;
    if (info.bytesAcked !== this.bytesAcked || !outstanding) {
      this.bytesAcked = info.bytesAcked;
      this.progressMs = nowMs;
    }
    if (!this.owes) this.owedSinceMs = Infinity;
    else if (this.owedSinceMs === Infinity) this.owedSinceMs = nowMs;
    if (!(this.#recordsOnly ? this.owes : outstanding)) this.outstandingSinceMs = Infinity;
    else if (this.outstandingSinceMs === Infinity) this.outstandingSinceMs = nowMs;
  }

  /** How long the peer has owed an answer with no record come, ms; 0 when it owes none. What no proxy can fake. */
  unansweredMs(nowMs: number): number {
    return this.owedSinceMs === Infinity ? 0 : Math.max(0, nowMs - Math.max(this.owedSinceMs, this.recordHeardMs));
  }

  /** How long something has been outstanding with nothing heard, ms; 0 when nothing is. */
  silentMs(nowMs: number): number {
    return this.outstandingSinceMs === Infinity
      ? 0
      : Math.max(0, nowMs - Math.max(this.outstandingSinceMs, this.lastHeardMs));
  }
}
