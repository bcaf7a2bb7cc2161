import { AckedRate } from './acked-rate.ts';
import { Allowance } from './allowance.ts';
import { chunkBytesMin } from './limits.ts';
import { LineRate } from './line-rate.ts';
import { ProxyWatch } from './proxy-watch.ts';
import { QueueWatch } from './queue-watch.ts';
import { segmentBytes, type Strand } from './strand.ts';

const youngWindowBytes: number = 6 * segmentBytes;
const windowBytesMin: number = 4 * segmentBytes;
const windowBytesLeast: number = 4 * segmentBytes;
const squeezedBytes: number = 4 * segmentBytes;
const trickleBytes: number = 2 * segmentBytes;
const trickleRtts = 3;
/** A line whose rate is not known is full when its round trip is longer by this, ms. */
const fullQueueMs = 40;
/** The kernel's rate may be above what was acknowledged over the round trip before, while it grows. */
const ackedGain = 1.5;
/** A line is young for so long after it was first filled, ms: its estimate is mistaken more often than its route changes. */
const youngMs = 5_000;
const seasonedBytes: number = 32 * segmentBytes;
/** Reckoned with where a line's rate is not known yet: 0.5 Mbit/s, in bytes per second. */
const slowestRate = 62_500;
/** A queue longer than this is not explained by what is on its way: the rate may be mistaken, ms. */
const drainQueueMsMax = 250;
/** What has left the flight's count may still stand before it: a chunk's time on a slow line, ms. */
const drainSlackMs = 20;
/** A bulk strand carries this long at a time, ms: less than the 10 s after which bbr looks for a lower round trip. */
const turnMs = 7_000;
const helpMs = 1_000;
/**
 * Outstanding on a filled line: a round trip's worth and a queue of so many ms, longer on a long line, where the figures
 * are older, up to what the buffers of ordinary modems hold.
 */
const queueRtts = 0.15;
const queueMsMin = 15;
const queueMsMax = 40;
/** A filled line is probed so often, ms, for at least so long, with so much more; lines one after the other. */
const probeGapMs = 2_500;
const probeMsMin = 40;
const probeGain = 1.4;
const probeQueueMsMax = 40;
const probeStaggerMs = 700;
/** While the rate still grows: room to double it in a round trip. */
const startUpGain = 1.4;

/** One uplink to one relay address: its strands and what they tell of the line. */
export class Path {
  readonly id: number;
  readonly strands: Strand[] = [];
  /** Silent while another path is heard: what is outstanding goes elsewhere, nothing new comes here. */
  suspect = false;
  suspectSinceMs = 0;
  /** The box says the line is there (carrier, configuration). */
  up = true;
  /** Its bytes cost: it carries only while no other path does, or by rule. */
  metered = false;
  /** What this side may send here. */
  readonly allowance: Allowance = new Allowance();
  /** Box: what the relay may send here, bits per second; 0: no limit. */
  peerLimitBps = 0;
  /** Highest PATH sequence number seen, or used by us. */
  sequence = 0;
  /** What of it the peer has acknowledged. */
  sequenceKnown = 0;
  readonly #proxy: ProxyWatch = new ProxyWatch();
  #proxied = false;
  /** It gave no answers while its segments came in, and has given none since. */
  #deaf = false;
  /** Acknowledgements ride this path's own quick strand once per round trip. */
  ackedHereMs = 0;
  /** The strand whose count is to ride there next. */
  echoStrand: Strand | undefined;
  /** Which bulk strand carries. */
  carrying: Strand | undefined;
  readonly #rate: LineRate = new LineRate();
  readonly #queue: QueueWatch = new QueueWatch();
  /** Acknowledged on all strands when last no more than a trickle was on its way, bytes. */
  #ackedBefore = 0;
  #busyMs = -Infinity;
  readonly #acked: AckedRate = new AckedRate();
  /** When the line was first filled. */
  #measuredMs = 0;
  /** Since when the present one carries. */
  #turnMs = 0;
  suspicions = 0;
  /** Of strands that are closed. */
  #closedIn = 0;
  #closedOut = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** A strand left: its bytes stay counted. */
  retire(strand: Strand): void {
    const at = this.strands.indexOf(strand);
    if (at < 0) return;
    this.strands.splice(at, 1);
    this.#closedIn += strand.bytesIn;
    this.#closedOut += strand.bytesOut;
    if (this.carrying === strand) this.carrying = undefined;
    if (this.echoStrand === strand) this.echoStrand = undefined;
  }

  /** Bytes of records received over this path, all its strands together. */
  get bytesIn(): number {
    return this.strands.reduce((sum, strand) => sum + strand.bytesIn, this.#closedIn);
  }

  get bytesOut(): number {
    return this.strands.reduce((sum, strand) => sum + strand.bytesOut, this.#closedOut);
  }

  /** May carry anything new. */
  get usable(): boolean {
    return this.up && !this.suspect;
  }

  /**
   * Takes the kernel's newest figures of a strand in, which moved since the last: delivery rate in bytes per second, and
   * the round trip. One that has little on its way beside its siblings says little of the line.
   */
  addSample(strand: Strand, bytesPerSecond: number, sourceLimited: boolean, nowMs: number): void {
    const outstandingBytes = this.outstandingBytes(nowMs);
    // A trickle proves nothing of what the line carries away; a flight that has just ended does.
    if (outstandingBytes > trickleBytes) this.#busyMs = nowMs;
    else if (nowMs - this.#busyMs > trickleRtts * this.rttMs) this.#ackedBefore = this.#bytesAcked();
    const carries = 2 * strand.bytesInFlight >= outstandingBytes - this.unsentBytes;
    const baseMs = this.baseRttMs;
    // A chunk is given while there is room for its first byte.
    const givenBytes = this.#fillBytes() + chunkBytesMin;
    const explainedMs = this.#rate.measured ? (givenBytes * 1_000) / this.#rate.bytesPerSecond : Infinity;
    // Smoothed: a connection's first round trip, slow where addresses are resolved or a radio wakes, stays in it for long.
    const seasoned = carries && strand.bytesAcked >= seasonedBytes;
    if (seasoned) this.#queue.take(strand.rttMs, explainedMs, nowMs);
    const young = nowMs - this.#measuredMs < youngMs;
    const evident = seasoned && (young || this.#queue.believes(strand.rttMs, explainedMs, nowMs));
    const ackedRate = this.#acked.update(this.#bytesAcked(), this.rttMs, nowMs);
    if (
      !this.#rate.measured &&
      this.rttMs - baseMs > fullQueueMs &&
      this.#bytesAcked() - this.#ackedBefore > seasonedBytes
    ) {
      // The line is full, whatever the kernel made of segments of all sizes.
      this.#rate.add(ackedRate, false, baseMs, this.rttMs - baseMs, nowMs);
    } else {
      // Probes, acknowledgements and first flights in turn: more than was acknowledged was not carried.
      const sample = strand.quick ? Math.min(bytesPerSecond, ackedGain * ackedRate) : bytesPerSecond;
      this.#rate.add(sample, sourceLimited || !carries, baseMs, evident ? strand.rttMs - baseMs : 0, nowMs);
    }
    if (!this.#rate.measured) this.#measuredMs = nowMs;
  }

  #bytesAcked(): number {
    let bytes = 0;
    for (const strand of this.strands) bytes += strand.bytesAcked;
    return bytes;
  }

  /** Delivery rate of the line, bytes per second; the last one while idle; 0 when it was never filled. */
  get measuredRate(): number {
    return this.#rate.measured ? this.#rate.bytesPerSecond : 0;
  }

  /** PING round trip, ms; what a proxy's TCP cannot fake. 0: not measured. */
  get pingRttMs(): number {
    return this.#proxy.pingRttMs;
  }

  /** A proxy in the middle acknowledges, as far as PING tells. */
  get proxied(): boolean {
    return this.#proxied;
  }

  /** Only records count as heard here. */
  get recordsOnly(): boolean {
    return this.#proxied || this.#deaf;
  }

  /** A PING was answered after so long, ms. */
  takePing(rttMs: number): void {
    this.#proxy.take(rttMs);
    this.#proxied = this.#proxy.sees(this.minRttMs);
    this.#applyRecordsOnly();
  }

  set deaf(deaf: boolean) {
    this.#deaf = deaf;
    this.#applyRecordsOnly();
  }

  #applyRecordsOnly(): void {
    for (const strand of this.strands) strand.recordsOnly = this.recordsOnly;
  }

  /** The rate to reckon with: the measured one, or what a cold window gives. */
  rate(): number {
    const limit = this.allowance.limitBps / 8;
    return limit > 0 ? Math.min(this.#lineRate(), limit) : this.#lineRate();
  }

  #lineRate(): number {
    if (this.#rate.measured) return this.#rate.bytesPerSecond;
    let window = 14_480;
    for (const strand of this.strands) window = Math.max(window, strand.windowBytes);
    return Math.max(this.#rate.bytesPerSecond, (window * 1_000) / Math.max(this.rttMs, 1));
  }

  /** Smoothed round trip, ms: the newest quick strand's, else the lowest of the others. Suspects no longer count. */
  get rttMs(): number {
    let rtt = 0;
    let quickRtt = 0;
    for (const strand of this.strands) {
      if (strand.state !== 'answered' || strand.suspect || strand.rttMs === 0) continue;
      if (strand.quick) quickRtt = strand.rttMs;
      rtt = rtt === 0 ? strand.rttMs : Math.min(rtt, strand.rttMs);
    }
    return Math.max(quickRtt > 0 ? quickRtt : rtt, this.#proxied ? this.pingRttMs : 0);
  }

  get minRttMs(): number {
    let rtt = 0;
    for (const strand of this.strands) {
      if (strand.minRttMs > 0) rtt = rtt === 0 ? strand.minRttMs : Math.min(rtt, strand.minRttMs);
    }
    return rtt;
  }

  /** Half the bare round trip, ms; through a proxy PING's. */
  get bareDelayMs(): number {
    return Math.max(this.minRttMs, this.#proxied ? this.#proxy.pingMinMs : 0) / 2;
  }

  /** Expected one-way delay now, ms: half the bare round trip and what stands queued on the way. */
  get delayMs(): number {
    const min = this.minRttMs;
    let rtt = 0;
    for (const strand of this.strands) {
      if (strand.state === 'answered' && !strand.suspect) rtt = Math.max(rtt, strand.rttMs);
    }
    return this.bareDelayMs + Math.max(0, rtt - min);
  }

  /** Unsent bytes of all strands: they share the line. A suspect's may never leave, and were given to others. */
  get unsentBytes(): number {
    let sum = 0;
    for (const strand of this.strands) {
      if (strand.state === 'answered' && !strand.suspect) sum += strand.unsentBytes;
    }
    return sum;
  }

  /**
   * Bytes given to the kernel and not acknowledged by the other end's TCP, all strands together. What a stuck strand owes
   * is not on its way: it waits for a time-out, perhaps for seconds after the line is back.
   */
  outstandingBytes(nowMs: number): number {
    let sum = 0;
    for (const strand of this.strands) {
      if (strand.state !== 'answered' || strand.suspect || strand.stuck(nowMs)) continue;
      sum += strand.bytesInFlight + strand.unsentBytes;
    }
    return sum;
  }

  /** How long the line needs for what all strands have on their way, ms: a round trip that is no sign of death. */
  get drainMs(): number {
    let bytes = 0;
    for (const strand of this.strands) if (strand.state === 'answered') bytes += strand.bytesInFlight;
    const rate = this.#rate.measured ? this.#rate.bytesPerSecond : slowestRate;
    const drainMs = (bytes * 1_000) / rate;
    return Math.min(drainMs + drainSlackMs, this.baseRttMs + drainQueueMsMax);
  }

  /**
   * How much may be outstanding on the path, bytes. Each strand has a congestion window of its own, and several of them,
   * or one in its start-up, fill a modem's queue until it drops. On a line of known rate: what fills it, and a little
   * queue; more for a round trip now and then, or a line that became faster would never show it. On an unknown one: as
   * much as it has proved to carry away, from six segments on (slow start, RFC 5681, on the whole path).
   */
  windowBytes(nowMs: number): number {
    if (!this.#rate.measured) return youngWindowBytes + Math.max(0, this.#bytesAcked() - this.#ackedBefore);
    const sinceProbeMs = (nowMs + this.id * probeStaggerMs) % probeGapMs;
    const fillBytes = this.#fillBytes() * this.#queue.gain(nowMs);
    if (this.#rate.startingUp) return fillBytes * startUpGain;
    if (sinceProbeMs >= Math.max(probeMsMin, this.baseRttMs)) return Math.max(windowBytesLeast, fillBytes);
    const more = Math.max((this.#rate.bytesPerSecond * probeQueueMsMax) / 1_000, chunkBytesMin);
    return Math.max(windowBytesLeast, Math.min(fillBytes * probeGain, fillBytes + more));
  }

  /** What fills a line of known rate, and the little queue that keeps it full, bytes. */
  #fillBytes(): number {
    const queueMs = Math.min(queueMsMin + queueRtts * this.baseRttMs, queueMsMax);
    return Math.max(windowBytesMin, (this.#rate.bytesPerSecond * (this.baseRttMs + queueMs)) / 1_000);
  }

  /** The round trip without our own queue, ms: the shortest seen, or a changed route's. */
  get baseRttMs(): number {
    return Math.max(this.minRttMs, this.#queue.routeMs);
  }

  get lastHeardMs(): number {
    let last = -Infinity;
    for (const strand of this.strands) last = Math.max(last, strand.lastHeardMs);
    return last;
  }

  /** Has a strand that could carry. */
  get answered(): boolean {
    return this.strands.some((s) => s.state === 'answered' && !s.suspect);
  }

  /** The answered quick strand, the newest first. */
  quick(): Strand | undefined {
    let found: Strand | undefined;
    for (const strand of this.strands) {
      if (strand.quick && strand.state === 'answered' && !strand.draining && !strand.suspect) found = strand;
    }
    return found;
  }

  /**
   * The bulk strand for the next chunk. One carries while it goes well; a sibling steps in where it is stuck in loss
   * recovery, closed or suspect. They take turns: bbr cuts a connection that carried for 10 s without a break down to four
   * segments for 200 ms (PROBE_RTT), and a connection never used has a cold window. For a while after a turn the
   * others help where the new one has no room. Falls back to the quick strand.
   */
  bulk(nowMs: number): Strand | undefined {
    const current = this.carrying;
    const due = nowMs - this.#turnMs > turnMs || (current?.retiring === true && this.#hasFresh(nowMs));
    if (!current || !carries(current, nowMs) || due) this.#nextTurn(nowMs);
    const chosen = this.carrying;
    if (!chosen) return this.quick();
    if (chosen.roomBytes < chunkBytesMin && this.helping(nowMs)) return this.#roomiest(chosen, nowMs);
    return chosen;
  }

  /** The bulk strand that carries has begun just now: the others help it. */
  helping(nowMs: number): boolean {
    return nowMs - this.#turnMs < helpMs;
  }

  #hasFresh(nowMs: number): boolean {
    return this.strands.some((strand) => !strand.quick && !strand.retiring && carries(strand, nowMs));
  }

  /** Of a path whose carrier has just begun: the strand with the most room, be it quick. */
  #roomiest(chosen: Strand, nowMs: number): Strand {
    let best = chosen;
    for (const strand of this.strands) {
      if (strand.roomBytes >= Math.max(chunkBytesMin, best.roomBytes + 1) && carries(strand, nowMs)) best = strand;
    }
    return best;
  }

  #nextTurn(nowMs: number): void {
    let best: Strand | undefined;
    for (const strand of this.strands) {
      if (strand.quick || strand.state !== 'answered' || strand.draining || strand.suspect) continue;
      if (strand === this.carrying) continue;
      if (best === undefined || rank(strand, nowMs) > rank(best, nowMs)) best = strand;
    }
    const current = this.carrying;
    // Nobody better: it goes on.
    if (current && carries(current, nowMs) && (!best || !carries(best, nowMs))) best = current;
    else if (!best && current?.state === 'answered' && !current.suspect && !current.draining) best = current;
    this.carrying = best;
    this.#turnMs = nowMs;
  }
}

const carries = (strand: Strand, nowMs: number): boolean =>
  strand.state === 'answered' && !strand.draining && !strand.suspect && !strand.stuck(nowMs) && !squeezed(strand);

/** Those that carry first, and of these the ones that are to stay. */
const rank = (strand: Strand, nowMs: number): number => (carries(strand, nowMs) ? 2 : 0) + (strand.retiring ? 0 : 1);

/** Cut down to four segments: bbr looks for a lower round trip, for 200 ms (a cold window has ten). */
const squeezed = (strand: Strand): boolean => strand.windowBytes <= squeezedBytes;
