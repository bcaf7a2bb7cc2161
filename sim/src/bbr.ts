/**
 * The kernel's congestion control of a strand, bbr version 1 as Linux has it (tcp_bbr.c; Cardwell et al., BBR, ACM Queue 14/5): rate and
 * window follow the highest bandwidth of ten round trips and the lowest round trip of ten seconds. Left out: its search for
 * policers, which needs a fifth of all segments lost.
 */
import { segmentBytes } from '@tresse/core';
import { WindowedMax } from '@tresse/kit';

/** 2 / ln 2: the smallest that doubles the rate in each round trip. */
const gainFirst = 2.885;
const gainDrain: number = 1 / gainFirst;
/** The rate in turns of a round trip each, once it is known: more, less, and six times as much as it is. */
const gainsInTurn = [1.25, 0.75, 1, 1, 1, 1, 1, 1];
const windowGain = 2;
/** A little below the estimate, so that no queue grows of itself. */
const pacingMargin = 0.99;
const windowBytesFirst: number = 10 * segmentBytes;
const windowBytesMin: number = 4 * segmentBytes;
const bandwidthRounds = 10;
/** The line is full when the bandwidth has not grown by a quarter in three round trips. */
const growth = 1.25;
const growthRounds = 3;
const minRttMs = 10_000;
const probeRttMs = 200;
/** Acknowledgements that come in bunches: how many more may be on their way, of so many rounds, ms of the rate at most. */
const bunchRounds = 10;
const bunchMsMax = 100;
/** Three runs of segments that leave together are on their way beyond that: of a ms of the rate each, of two segments at least. */
const runs = 3;
const runBytesMin: number = 2 * segmentBytes;

type Mode = 'startup' | 'drain' | 'bandwidth' | 'round-trip';

/** What an acknowledgement tells. Bytes and ms. */
export interface Acknowledgement {
  /** Newly acknowledged, cumulative or selective. */
  readonly ackedBytes: number;
  /** Found lost by it. */
  readonly lostBytes: number;
  /** Bytes per ms; 0 where there is no sample. */
  readonly rate: number;
  readonly sourceLimited: boolean;
  /** Delivered when the newest of what is acknowledged was sent, and now. */
  readonly deliveredThen: number;
  readonly delivered: number;
  /** On its way after it. */
  readonly inFlight: number;
  /** Of what was sent once; 0: no sample. */
  readonly rttMs: number;
  /** Loss recovery, by time-out or not, after it. */
  readonly recovering: boolean;
}

export class Bbr {
  #windowBytes = windowBytesFirst;
  #mode: Mode = 'startup';
  #gain = gainFirst;
  #pacing: number;
  readonly #bandwidths = new WindowedMax(bandwidthRounds);
  #bandwidth = 0;
  #round = 0;
  #roundStarts = false;
  #roundEndsAt = 0;
  #fullBandwidth = 0;
  #fullRounds = 0;
  #full = false;
  #bareMs: number;
  #bareAtMs: number;
  #turn = 0;
  #turnAtMs = 0;
  #probeEndsMs = 0;
  #restarting = false;
  #windowBefore = 0;
  #recovering = false;
  #conserving = false;
  readonly #bunches = new WindowedMax(bunchRounds);
  #bunchSinceMs = 0;
  #bunchBytes = 0;

  constructor(rttMs: number, nowMs: number) {
    this.#bareMs = rttMs;
    this.#bareAtMs = nowMs;
    this.#pacing = (gainFirst * windowBytesFirst) / Math.max(rttMs, 1);
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** Bytes per ms. */
  get pacing(): number {
    return this.#pacing;
  }

  handleAck(ack: Acknowledgement, nowMs: number): void {
    this.#takeRound(ack);
    // Aged by samples alone, as the kernel's maximum: what the source limits for long takes nothing from it.
    if (ack.rate > 0 && (!ack.sourceLimited || ack.rate >= this.#bandwidth)) {
      this.#bandwidths.add(ack.rate, this.#round);
      this.#bandwidth = this.#bandwidths.get(this.#round);
    }
    this.#takeBunch(ack, nowMs);
    this.#takeTurn(ack, nowMs);
    this.#judgeFull(ack, nowMs);
    this.#takeRoundTrip(ack, nowMs);
    const pacing = this.#gain * this.#bandwidth * pacingMargin;
    if (this.#full || pacing > this.#pacing) this.#pacing = Math.max(pacing, 0.01);
    this.#setWindow(ack);
  }

  /** The retransmission time-out: everything on its way counts as lost. */
  handleTimeout(): void {
    if (!this.#recovering) this.#windowBefore = this.#windowBytes;
    this.#recovering = true;
    this.#conserving = false;
    this.#fullBandwidth = 0;
    this.#windowBytes = segmentBytes;
  }

  /** Something was sent again needlessly: the losses were none, and slowed the search for the line's rate. */
  handleNeedless(): void {
    this.#fullBandwidth = 0;
    this.#fullRounds = 0;
  }

  /** After a pause of the source the rate is the line's own. */
  handleRestart(): void {
    this.#restarting = true;
    if (this.#mode === 'bandwidth' && this.#bandwidth > 0) this.#pacing = this.#bandwidth * pacingMargin;
  }

  #takeRound(ack: Acknowledgement): void {
    this.#roundStarts = ack.ackedBytes > 0 && ack.deliveredThen >= this.#roundEndsAt;
    if (!this.#roundStarts) return;
    this.#roundEndsAt = ack.delivered;
    this.#round++;
    this.#conserving = false;
  }

  #takeBunch(ack: Acknowledgement, nowMs: number): void {
    const expected = this.#bandwidth * (nowMs - this.#bunchSinceMs);
    if (this.#bunchBytes <= expected) {
      this.#bunchBytes = 0;
      this.#bunchSinceMs = nowMs;
      this.#bunchBytes += ack.ackedBytes;
      this.#bunches.add(Math.min(this.#bunchBytes, this.#windowBytes), this.#round);
      return;
    }
    this.#bunchBytes += ack.ackedBytes;
    this.#bunches.add(Math.min(this.#bunchBytes - expected, this.#windowBytes), this.#round);
  }

  /** What fills the line `gain` times, bytes. */
  #fill(gain: number): number {
    return gain * this.#bandwidth * this.#bareMs + runs * Math.max(this.#bandwidth, runBytesMin);
  }

  #takeTurn(ack: Acknowledgement, nowMs: number): void {
    if (this.#mode !== 'bandwidth') return;
    const over = nowMs - this.#turnAtMs > this.#bareMs;
    const gain = gainsInTurn[this.#turn] ?? 1;
    const more = gain > 1 && over && (ack.lostBytes > 0 || ack.inFlight >= this.#fill(gain));
    const less = gain < 1 && (over || ack.inFlight <= this.#fill(1));
    if (!(more || less || (gain === 1 && over))) return;
    this.#turn = (this.#turn + 1) % gainsInTurn.length;
    this.#turnAtMs = nowMs;
    this.#gain = gainsInTurn[this.#turn] ?? 1;
  }

  #judgeFull(ack: Acknowledgement, nowMs: number): void {
    if (!this.#full && this.#roundStarts && !ack.sourceLimited) {
      if (this.#bandwidth >= this.#fullBandwidth * growth) {
        this.#fullBandwidth = this.#bandwidth;
        this.#fullRounds = 0;
      } else this.#full = ++this.#fullRounds >= growthRounds;
    }
    if (this.#mode === 'startup' && this.#full) {
      this.#mode = 'drain';
      this.#gain = gainDrain;
    }
    if (this.#mode === 'drain' && ack.inFlight <= this.#fill(1)) this.#probeBandwidth(nowMs);
  }

  #probeBandwidth(nowMs: number): void {
    this.#mode = 'bandwidth';
    // Linux begins anywhere but with less; here at the first of the even ones.
    this.#turn = 2;
    this.#turnAtMs = nowMs;
    this.#gain = 1;
  }

  #takeRoundTrip(ack: Acknowledgement, nowMs: number): void {
    const old = nowMs - this.#bareAtMs > minRttMs;
    if (ack.rttMs > 0 && (ack.rttMs <= this.#bareMs || old)) {
      this.#bareMs = ack.rttMs;
      this.#bareAtMs = nowMs;
    }
    // Out of a pause no round trip is searched for: the pause has emptied the line.
    const searches = old && !this.#restarting;
    if (ack.ackedBytes > 0) this.#restarting = false;
    if (searches && this.#mode !== 'round-trip') {
      if (!this.#recovering) this.#windowBefore = this.#windowBytes;
      this.#mode = 'round-trip';
      this.#gain = 1;
      this.#probeEndsMs = 0;
    }
    if (this.#mode !== 'round-trip') return;
    if (this.#probeEndsMs === 0) {
      if (ack.inFlight <= windowBytesMin) this.#probeEndsMs = nowMs + Math.max(probeRttMs, this.#bareMs);
    } else if (nowMs > this.#probeEndsMs) {
      this.#bareAtMs = nowMs;
      this.#windowBytes = Math.max(this.#windowBytes, this.#windowBefore);
      if (this.#full) this.#probeBandwidth(nowMs);
      else {
        this.#mode = 'startup';
        this.#gain = gainFirst;
      }
    }
  }

  #setWindow(ack: Acknowledgement): void {
    if (ack.lostBytes > 0) this.#windowBytes = Math.max(this.#windowBytes - ack.lostBytes, segmentBytes);
    const began = ack.recovering && !this.#recovering;
    const ended = !ack.recovering && this.#recovering;
    this.#recovering = ack.recovering;
    if (began) {
      // The losses of this acknowledgement are off already.
      this.#windowBefore = this.#windowBytes + ack.lostBytes;
      this.#conserving = true;
      this.#roundEndsAt = ack.delivered;
      this.#windowBytes = ack.inFlight + ack.ackedBytes;
    } else if (ended) {
      this.#windowBytes = Math.max(this.#windowBytes, this.#windowBefore);
      this.#conserving = false;
    }
    if (this.#conserving) this.#windowBytes = Math.max(this.#windowBytes, ack.inFlight + ack.ackedBytes);
    else {
      const bunch = Math.min(this.#bunches.get(this.#round), this.#bandwidth * bunchMsMax);
      const gain = this.#mode === 'startup' || this.#mode === 'drain' ? gainFirst : windowGain;
      const target = this.#fill(gain) + (this.#full ? bunch : 0);
      if (this.#full) this.#windowBytes = Math.min(this.#windowBytes + ack.ackedBytes, target);
      else if (this.#windowBytes < target || ack.delivered < windowBytesFirst) this.#windowBytes += ack.ackedBytes;
    }
    this.#windowBytes = Math.max(this.#windowBytes, windowBytesMin);
    if (this.#mode === 'round-trip') this.#windowBytes = Math.min(this.#windowBytes, windowBytesMin);
  }
}
