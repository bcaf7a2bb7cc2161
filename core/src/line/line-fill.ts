import type { QueueAllowed } from '../scheduling/policy.ts';
import { segmentBytes } from '../strand/strand.ts';
import { chunkSize } from './chunk-size.ts';
import { LineRate } from './line-rate.ts';
import { Pacing } from './pacing.ts';
import { ProvenFlight } from './proven-flight.ts';
import { QueueWatch } from './queue-watch.ts';
/**
 * How much a path's line carries, and how much may be on its way there. Each strand has a congestion window of its own, and
 * several of them, or one in its start-up, fill a modem's queue until it drops. So the path has a bound of its own, from
 * the line's rate and its bare round trip, which keeps the queue short and the line full.
 */
import { RoundTripRate } from './round-trip-rate.ts';

/** A line of unknown rate takes this at once, bytes; of a known one never less than the second is given. */
const youngWindowBytes: number = 6 * segmentBytes;
const windowBytesMin: number = 4 * segmentBytes;
/** On a filled line there is a queue of its allowed ms, and of so many bytes: every second segment is acknowledged (RFC 1122, 4.2.3.2), and a feeble line falls dry until the next two are. */
const queueBytesMin: number = 2.2 * segmentBytes;
/** So much of what acknowledgements wait on their way back is made up for, ms. */
const backMsMax = 100;
/** A filled line is probed so often, ms, for at least so long, with so much more; lines one after the other. */
const probeGapMs = 2_500;
const probeMsMin = 40;
const probeGain = 1.4;
const probeQueueMsMax = 40;
const probeStaggerMs = 700;
/** While the rate still grows: room to double it in a round trip. */
const startUpGain = 1.4;
/** A new PING's share in the mean of a calm line's round trip; which is so much above the shortest at most, ms and round trips: a radio that wakes is slower. */
const calmShare = 0.125;
const shakesMsMax = 20;
const shakesRttsMax = 0.5;
/** With less on its way than this share of what would fill the line it is given too little, and a long round trip is no queue: a strand whose window is cold, on a line that shakes. */
const starvedShare = 0.8;
/** A segment takes 10 ms at this rate, bytes per second. */
const feebleRate = 145_000;
/** Two segments' time is no queue. */
const grainBytes: number = 2 * segmentBytes;
/** Up to this, for some round trips, is a trickle. */
export const trickleBytes: number = 2 * segmentBytes;
const trickleRtts = 3;
/** A line of unknown rate shows a queue when its round trip is longer by this, ms, and by this share (RFC 9406); then it may have one of so long, ms, and so many round trips. */
const youngQueueMs = 25;
const youngQueueRtts = 0.125;
const youngQueueMsMax = 40;
const youngGain = 1.25;
/** A strand's smoothed round trip is its line's after this; what a line of unknown rate has carried to prove that it is full. */
const seasonedBytes: number = 32 * segmentBytes;
/** A line whose rate is not known is full when its round trip is longer by this, ms. */
const fullQueueMs = 40;
/** The kernel's rate may be above what was acknowledged over the round trip before, while it grows. */
const ackedGain = 1.5;
const ackedGainFull = 1.15;
/** A line is young for so long after it was first filled, ms: its estimate is mistaken more often than its route changes. */
const youngMs = 5_000;
/** No line is reckoned to be slower: 0.5 Mbit/s, in bytes per second. */
const slowestRate = 62_500;
/** A queue longer than this is not explained by what is on its way: the rate may be mistaken, ms. */
const drainQueueMsMax = 250;
/** What has left the flight's count may still stand before it: a chunk's time on a slow line, ms. */
const drainSlackMs = 20;

/** What all strands of a line have, together. */
export interface LineView {
  /** Smoothed, and without a queue, ms. */
  readonly rttMs: number;
  readonly bareRttMs: number;
  /** Given to the kernel and not sent. */
  readonly unsentBytes: number;
  /** Sent and on its way, and not sent, bytes. */
  outstandingBytes(nowMs: number): number;
  /** How much of the round trip is the return's queue, which the peer fills. */
  returnQueueMs(nowMs: number): number;
  /** Several strands carry: what one of them does says little. */
  helping(nowMs: number): boolean;
  /** On its way, stuck strands' included. */
  readonly bytesInFlight: number;
  /** Acknowledged since the beginning. */
  readonly bytesAcked: number;
  /** Left and no longer on its way, bytes: moves on through loss recovery, where {@link bytesAcked} stands still and then jumps. */
  readonly carriedBytes: number;
}

/** What one of its strands has, by the kernel's word or by the other end's. */
export interface Flight {
  /** Smoothed, ms. */
  readonly rttMs: number;
  readonly bytesInFlight: number;
  readonly bytesAcked: number;
  /** It is let out no faster than the line's pace, and so much waits for that. */
  readonly paced: boolean;
  readonly unsentBytes: number;
  /** So much is lost that little is on its way: not because little was given. */
  readonly losing?: boolean;
}

export class LineFill {
  readonly #view: LineView;
  readonly #staggerMs: number;
  readonly #allowed: QueueAllowed;
  readonly #rate: LineRate = new LineRate();
  readonly #queue: QueueWatch = new QueueWatch();
  readonly #acked: RoundTripRate = new RoundTripRate();
  readonly #carried: RoundTripRate = new RoundTripRate();
  readonly #pacing: Pacing = new Pacing();
  readonly #proven: ProvenFlight = new ProvenFlight();
  /** Acknowledged when last no more than a trickle was on its way, bytes. */
  #ackedBefore = 0;
  /** Bytes per second, over the last round trips. */
  #ackedRate = 0;
  #busyMs = -Infinity;
  /** Mean round trip while next to nothing was on its way, ms; 0: not known. */
  #calmMs = 0;
  /** When the line was first filled. */
  #measuredMs = 0;

  /** `number` tells lines apart that would be probed at once; `allowed` is the queue on a filled one. */
  constructor(view: LineView, number: number, allowed: QueueAllowed) {
    this.#view = view;
    this.#allowed = allowed;
    this.#ackedBefore = view.bytesAcked;
    this.#staggerMs = number * probeStaggerMs;
  }

  /** The line was filled once. */
  get measured(): boolean {
    return this.#rate.measured;
  }

  /** What the line carries is not known yet: the estimate still grows from round trip to round trip. */
  get startingUp(): boolean {
    return this.#rate.startingUp;
  }

  /** Bytes per second; a lower bound while {@link measured} is false, 0 when nothing is known. */
  get bytesPerSecond(): number {
    return this.#rate.bytesPerSecond;
  }

  /**
   * The round trip without our own queue, ms: the shortest seen, or what it is on average where the line shakes (else every
   * round trip but the shortest would tell of a queue, and so of a full line), or a changed route's.
   */
  get baseRttMs(): number {
    const { bareRttMs } = this.#view;
    const shakesMs = Math.max(shakesMsMax, bareRttMs * shakesRttsMax);
    return Math.max(bareRttMs, this.#queue.routeMs, Math.min(this.#calmMs, bareRttMs + shakesMs));
  }

  /** A PING was answered after so long: tells how long the way is where nothing else was on it meanwhile. */
  takePing(rttMs: number, nowMs: number): void {
    const calm = this.#view.outstandingBytes(nowMs) <= trickleBytes && nowMs - rttMs > this.#busyMs;
    if (!calm || this.#view.returnQueueMs(nowMs) > 0) return;
    this.#calmMs = this.#calmMs === 0 ? rttMs : this.#calmMs + (rttMs - this.#calmMs) * calmShare;
  }

  /** How long the line needs for what is on its way, ms: a round trip that is no sign of death. */
  get drainMs(): number {
    // A lower bound is enough; an estimate from acknowledgements alone, beside the other direction's queue, is none.
    const rate = Math.max(slowestRate, this.#rate.bytesPerSecond);
    const drainMs = (this.#view.bytesInFlight * 1_000) / rate;
    return Math.min(drainMs + drainSlackMs, this.baseRttMs + drainQueueMsMax);
  }

  /**
   * How much may be outstanding, bytes. On a line of known rate: what fills it, and a little queue; more for a round trip
   * now and then, or a line that became faster would never show it. On an unknown one: as much as it has proved to carry
   * away, from six segments on (slow start, RFC 5681, on the whole path).
   */
  windowBytes(nowMs: number): number {
    if (!this.#rate.measured) return this.#youngBytes();
    const gain = this.#queue.gain(nowMs);
    const backMs = Math.min(this.#backMs(this.#view.rttMs, nowMs), backMsMax);
    const backBytes = (this.#rate.bytesPerSecond * backMs) / 1_000;
    const fillBytes = this.#fillBytes() * gain + backBytes;
    if (this.#rate.startingUp) return fillBytes * startUpGain;
    const sinceProbeMs = (nowMs + this.#staggerMs) % probeGapMs;
    if (sinceProbeMs >= Math.max(probeMsMin, this.baseRttMs)) return Math.max(windowBytesMin, fillBytes);
    // A chunk is given while there is room for its first byte, which is a probe of its own on a slow line.
    const queueFullBytes = this.#filledBytes(probeQueueMsMax) - chunkSize(this.#rate.bytesPerSecond);
    const probeBytes = Math.min(fillBytes * probeGain, queueFullBytes * gain + backBytes);
    return Math.max(windowBytesMin, fillBytes, probeBytes);
  }

  /** So slow that a chunk which waits to be sent tells nothing of its strand. */
  get feeble(): boolean {
    return this.#rate.bytesPerSecond < feebleRate;
  }

  /** Its rate is known, and less is on its way than would fill it. */
  hungry(nowMs: number): boolean {
    if (!this.#rate.measured || this.feeble) return false;
    const onTheWay = this.#view.outstandingBytes(nowMs) - this.#view.unsentBytes;
    return onTheWay < (starvedShare * this.#rate.bytesPerSecond * this.baseRttMs) / 1_000;
  }

  /** Where a queue shows, doubling again would only fill it: what was carried away in a round trip, and room to grow. */
  #youngBytes(): number {
    const ackedBytes = Math.max(0, this.#view.bytesAcked - this.#ackedBefore);
    const grownBytes = Math.max(youngWindowBytes + ackedBytes, this.#proven.bytes);
    const baseMs = this.baseRttMs;
    if (this.#view.rttMs <= this.#freeRttMs) return grownBytes;
    const carriedBytes = (this.#ackedRate * (baseMs * youngGain + youngQueueMsMax)) / 1_000;
    return Math.max(windowBytesMin, Math.min(grownBytes, carriedBytes));
  }

  /** No longer round trip is explained without a queue on a line of unknown rate, ms. */
  get #freeRttMs(): number {
    const baseMs = this.baseRttMs;
    return baseMs + Math.max(youngQueueMs, baseMs * youngQueueRtts);
  }

  /** So many bytes were on their way until now: what was carried away meanwhile proves something of the line. */
  noteOutstanding(bytes: number, nowMs: number): void {
    if (bytes > trickleBytes) this.#busyMs = nowMs;
  }

  /** The other end had the last of so many bytes that were on their way at once, after so long: its word may have waited a little. */
  addFlight(bytes: number, rttMs: number): void {
    if (this.baseRttMs > 0) this.#proven.take(bytes, rttMs, this.#freeRttMs);
  }

  /**
   * Takes the newest figures of a strand in, which moved since the last: delivery rate in bytes per second, whether it may be
   * too high, and the round trip. One that has little on its way beside its siblings says little of the line.
   */
  addSample(strand: Flight, bytesPerSecond: number, sourceLimited: boolean, coarse: boolean, nowMs: number): void {
    const { rttMs, bytesAcked } = this.#view;
    const outstandingBytes = this.#view.outstandingBytes(nowMs);
    // A trickle proves nothing of what the line carries away; a flight that has just ended does.
    if (outstandingBytes > trickleBytes) this.#busyMs = nowMs;
    else if (nowMs - this.#busyMs > trickleRtts * rttMs) this.#ackedBefore = bytesAcked;
    const onTheWay = outstandingBytes - this.#view.unsentBytes;
    const carries = 2 * strand.bytesInFlight >= onTheWay;
    const shared = strand.paced && this.#view.helping(nowMs);
    const queueMs = carries ? this.#queueOf(strand, nowMs) : 0;
    const ackedRate = this.#acked.update(bytesAcked, rttMs, nowMs);
    const carriedRate = this.#carried.update(this.#view.carriedBytes, rttMs, nowMs);
    // What goes beside it by the line's other strands goes as fast (Little's law), as far as that was carried.
    const withBeside = carries ? (bytesPerSecond * onTheWay) / Math.max(1, strand.bytesInFlight) : 0;
    const lineBytesPerSecond = Math.max(bytesPerSecond, Math.min(withBeside, carriedRate));
    this.#ackedRate = ackedRate;
    const baseMs = this.baseRttMs;
    const backMs = this.#backMs(rttMs, nowMs);
    const full = rttMs - backMs - baseMs > fullQueueMs && bytesAcked - this.#ackedBefore > seasonedBytes;
    if (!this.#rate.measured && full) {
      // Whatever the kernel made of segments of all sizes.
      this.#rate.add(ackedRate, false, baseMs, rttMs - backMs - baseMs, nowMs);
    } else {
      const most = this.#mostOf(coarse, ackedRate, full, nowMs);
      // What a pace holds back may be more. And out of a pause little has been acknowledged so far, which proves no slow line.
      const bounded = coarse && lineBytesPerSecond > most;
      const starved =
        strand.losing !== true &&
        this.#rate.measured &&
        outstandingBytes < (starvedShare * this.#rate.bytesPerSecond * baseMs) / 1_000;
      const atLeast = sourceLimited || !carries || strand.paced || bounded || starved;
      const provenMs = shared || bounded || starved ? 0 : queueMs;
      this.#rate.add(Math.min(lineBytesPerSecond, most), atLeast, baseMs, provenMs, nowMs);
    }
    if (!this.#rate.measured) this.#measuredMs = nowMs;
    if (carries && strand.paced) {
      const ownMs = strand.rttMs - this.#backMs(strand.rttMs, nowMs) - baseMs;
      this.#pacing.steer(Math.max(0, ownMs), this.#grainMs(), strand.rttMs, strand.unsentBytes > 0, nowMs);
    }
  }

  /** How fast bulk may leave while others' bytes would wait behind it, bytes per second; Infinity where the line's rate is not known. */
  get pace(): number {
    return this.#rate.measured && !this.#rate.startingUp ? this.#rate.bytesPerSecond * this.#pacing.share : Infinity;
  }

  /** More than was acknowledged was not carried, bytes per second. */
  #mostOf(coarse: boolean, ackedRate: number, full: boolean, nowMs: number): number {
    // A full line carries what is acknowledged; in loss recovery that count stands still for a while.
    if (full && nowMs - this.#measuredMs < youngMs) return ackedGainFull * ackedRate;
    // Probes, acknowledgements and first flights in turn.
    return coarse ? ackedGain * ackedRate : Infinity;
  }

  /** How long the queue is that a strand's round trip proves, ms; 0 where it proves none. */
  #queueOf(strand: Flight, nowMs: number): number {
    // Smoothed: a connection's first round trip, slow where addresses are resolved or a radio wakes, stays in it for long.
    if (strand.bytesAcked < seasonedBytes) return 0;
    // A chunk is given while there is room for its first byte.
    const givenBytes = this.#fillBytes() + chunkSize(this.#rate.bytesPerSecond);
    const explainedMs = this.#rate.measured ? (givenBytes * 1_000) / this.#rate.bytesPerSecond : Infinity;
    const rttMs = strand.rttMs - this.#backMs(strand.rttMs, nowMs);
    this.#queue.take(rttMs, explainedMs, nowMs);
    const young = nowMs - this.#measuredMs < youngMs;
    if (!young && !this.#queue.believes(rttMs, explainedMs, nowMs)) return 0;
    return rttMs - this.baseRttMs - (strand.paced ? this.#grainMs() : 0);
  }

  /** On a slow line one waits for the segments before it where no queue stands, ms: ours, and an acknowledgement's way back. */
  #grainMs(): number {
    return (grainBytes * 1_000) / this.#rate.bytesPerSecond;
  }

  /** What of a round trip is not our doing, ms. */
  #backMs(rttMs: number, nowMs: number): number {
    return Math.max(0, Math.min(this.#view.returnQueueMs(nowMs), rttMs - this.baseRttMs));
  }

  /** What fills a line of known rate, and the little queue that keeps it full, bytes. */
  #fillBytes(): number {
    return this.#filledBytes(0);
  }

  /** ... and so much more, ms. */
  #filledBytes(moreMs: number): number {
    const { rtts, msMin, msMax } = this.#allowed;
    const queueMs = Math.min(msMin + rtts * this.baseRttMs, msMax) + moreMs;
    const queueBytes = Math.max(queueBytesMin, (this.#rate.bytesPerSecond * queueMs) / 1_000);
    return (this.#rate.bytesPerSecond * this.baseRttMs) / 1_000 + queueBytes;
  }
}
