import { ackDelayMsMax } from '../limits.ts';
import { DatagramFlight } from '../packet/datagram-flight.ts';
import { PacketClass } from '../packet/datagram.ts';
import type { DatagramPath } from '../packet/packet-lane.ts';
import type { FlowKind } from '../packet/packet-sender.ts';
import { UdpWatch } from '../packet/udp-watch.ts';
import { type Policy, shippedPolicy, type StrandChoice } from '../scheduling/policy.ts';
import { segmentBytes, type Strand } from '../strand/strand.ts';
import { lags, squeezed } from '../strand/turns.ts';
import type { Chunk } from '../stream/chunk.ts';
import { Allowance } from './allowance.ts';
import { LaneShares } from './lane-shares.ts';
import { type Flight, LineFill, type LineView, trickleBytes } from './line-fill.ts';
import { ProxyWatch } from './proxy-watch.ts';
import { ReturnDelay } from './return-delay.ts';

/** As much as a connection's start-up brings onto its line in three round trips (bbr, from ten segments). */
const unseenBytesMax: number = 160 * segmentBytes;

/** The peer's bulk comes while less than this has passed since its last bytes, ms. */
const bulkComesMs = 500;
/** Bulk is let out no faster than the line carries it for so long after a packet that must not wait, ms: a call speaks again, a page asks for the next thing. */
const packetLivesMs = 3_000;
/** What datagrams told of a queue holds for so long, ms. */
const queueKnownMs = 1_000;
/** Nothing that was given to a strand waits for ever. */
const helpersShareMin = 0.05;

/** One uplink to one relay address: its strands and what they tell of the line. */
export class Path implements LineView, DatagramPath {
  readonly id: number;
  readonly strands: Strand[] = [];
  /** What is on its way of the packet lane. */
  readonly datagrams: DatagramFlight = new DatagramFlight();
  /** Whether they get through. */
  readonly udp: UdpWatch = new UdpWatch();
  /** Silent while another path is heard: what is outstanding goes elsewhere, nothing new comes here. */
  suspect = false;
  suspectSinceMs = 0;
  /** When one of its strands fell silent with nothing heard beside it: until something is, the path is {@link doubtful}. */
  doubtSinceMs: number = -Infinity;
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
  readonly #return: ReturnDelay = new ReturnDelay();
  /** When bytes of a transfer came here last. */
  bulkCameMs: number = -Infinity;
  readonly #policy: Policy;
  #fill: LineFill;
  readonly #turns: StrandChoice;
  suspicions = 0;
  readonly #shares: LaneShares = new LaneShares();
  /** When a packet left last that must not wait, and of what kind its flow is. */
  #stirredMs: number = -Infinity;
  #stirredBy: FlowKind | undefined;
  /** Something that would wait behind bulk lives among the streams. */
  #streamsMatter = false;
  /** Of strands that are closed. */
  #closedIn = 0;
  #closedOut = 0;
  #closedPacketsOut = 0;
  #closedMinRttMs: number = Infinity;

  constructor(id: number, policy: Policy = shippedPolicy) {
    this.id = id;
    this.#policy = policy;
    this.#fill = new LineFill(this, id, policy.queue);
    this.#turns = policy.strands(this.strands);
  }

  /** A strand left: its bytes stay counted. */
  retire(strand: Strand): void {
    const at = this.strands.indexOf(strand);
    if (at < 0) return;
    this.strands.splice(at, 1);
    this.#closedIn += strand.bytesIn;
    this.#closedOut += strand.bytesOut;
    if (strand.datagram) this.#closedPacketsOut += strand.bytesOut;
    if (strand.minRttMs > 0) this.#closedMinRttMs = Math.min(this.#closedMinRttMs, strand.minRttMs);
    if (this.#turns.carrying === strand) this.#turns.carrying = undefined;
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
    return this.up && !this.suspect && !this.doubtful;
  }

  /** One of its strands fell silent, and nothing was heard of the others since. */
  get doubtful(): boolean {
    return this.doubtSinceMs !== -Infinity && this.lastHeardMs <= this.doubtSinceMs;
  }

  /** See {@link LineFill.addSample}. */
  addSample(strand: Strand, bytesPerSecond: number, sourceLimited: boolean, nowMs: number): void {
    if (!this.#proxied) this.#fill.addSample(strand, bytesPerSecond, sourceLimited, strand.quick, nowMs);
  }

  /** The other end has acknowledged chunks of a strand, this one as the last. Through a proxy this, not the kernel, tells what the line carries. */
  addAcked(strand: Strand, newest: Chunk, nowMs: number): void {
    this.#fill.addFlight(newest.flightEnd - newest.ackedThen, nowMs - newest.sentMs);
    if (!this.#proxied) return;
    // Only a queue proves that the line was full: what else was given is at least what it carries.
    this.#fill.addSample(strand.flight, strand.flight.deliveryRate, true, false, nowMs);
  }

  /** The rate to reckon with is what the line carries, and no lower bound. */
  get rateKnown(): boolean {
    return this.#fill.measured && !this.#fill.startingUp;
  }

  /** The peer has told how the datagrams fare. */
  takeDatagrams(nowMs: number): void {
    const { deliveryRate, sourceLimited } = this.datagrams;
    this.#fill.noteOutstanding(this.datagrams.inFlightBefore, nowMs);
    if (deliveryRate > 0) this.#fill.addSample(this.datagrams, deliveryRate, sourceLimited, false, nowMs);
  }

  /** Delivery rate of the line, bytes per second; the last one while idle; 0 when it was never filled. */
  get measuredRate(): number {
    return this.#fill.measured ? this.#fill.bytesPerSecond : 0;
  }

  /** PING round trip, ms; what a proxy's TCP cannot fake. 0: not measured. */
  get pingRttMs(): number {
    return this.#proxy.pingRttMs;
  }

  /** Too few PINGs were answered to tell whether a proxy is there. */
  get wantsPings(): boolean {
    return this.#proxy.undecided;
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
  takePing(rttMs: number, nowMs: number): void {
    this.#proxy.take(rttMs);
    this.#fill.takePing(rttMs, nowMs);
    const proxied = this.#proxy.sees(this.#tcpRttMsMin);
    if (proxied === this.#proxied) return;
    this.#proxied = proxied;
    // What was learnt is another way's.
    this.#fill = new LineFill(this, this.id, this.#policy.queue);
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
    if (this.#fill.measured) return this.#fill.bytesPerSecond;
    let window = 14_480;
    if (!this.#proxied) for (const strand of this.strands) window = Math.max(window, strand.windowBytes);
    return Math.max(this.#fill.bytesPerSecond, (window * 1_000) / Math.max(this.rttMs, 1));
  }

  /** What a strand's flight is known by. */
  #flightOf(strand: Strand): Flight {
    return this.#proxied ? strand.flight : strand;
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
    if (rtt === 0) rtt = this.datagrams.rttMs;
    return Math.max(quickRtt > 0 ? quickRtt : rtt, this.#proxied ? this.#recordRttMs : 0);
  }

  /** Through a proxy: as the chunks on their way tell, or the last PINGs, ms. */
  get #recordRttMs(): number {
    let rtt = 0;
    for (const { state, suspect, flight } of this.strands) {
      if (state === 'answered' && !suspect && flight.bytesInFlight > 0) rtt = Math.max(rtt, flight.rttMs);
    }
    return rtt > 0 ? rtt : this.pingRttMs;
  }

  /** Of closed strands too: one that begins in a queue does not know the line without. */
  get #tcpRttMsMin(): number {
    let rtt = this.#closedMinRttMs;
    for (const strand of this.strands) {
      if (strand.minRttMs > 0) rtt = Math.min(rtt, strand.minRttMs);
    }
    return rtt === Infinity ? 0 : rtt;
  }

  /** The shortest round trip seen, ms; through a proxy PING's. */
  get minRttMs(): number {
    return Math.max(this.#tcpRttMsMin || this.datagrams.minRttMs, this.#proxied ? this.#proxy.pingMinMs : 0);
  }

  /** The shortest time in which an answer may be counted on, ms: word of records may wait a little at the other end. */
  get bareRttMs(): number {
    return this.minRttMs + (this.#proxied ? ackDelayMsMax : 0);
  }

  /** Half the shortest round trip, ms. */
  get bareDelayMs(): number {
    return this.minRttMs / 2;
  }

  /** Expected one-way delay now, ms: half the bare round trip and what stands queued on the way. */
  get delayMs(): number {
    const rtt = this.#proxied ? this.#recordRttMs : this.#freshRttMs;
    return this.bareDelayMs + Math.max(0, rtt - this.bareRttMs);
  }

  /** The same for a packet: by what datagrams met on their way there of late, and strands that carry now; an idle one's figures are old. */
  packetDelayMs(nowMs: number): number {
    let queueMs = nowMs - this.datagrams.heardMs < queueKnownMs ? this.datagrams.standingQueueMs : 0;
    for (const strand of this.strands) {
      if (strand.state !== 'answered' || strand.suspect || strand.bytesInFlight <= trickleBytes) continue;
      queueMs = Math.max(queueMs, strand.rttMs - this.minRttMs);
    }
    return this.bareDelayMs + queueMs;
  }

  /** The longest of those that carry something, and of the quick one, which is pinged: others tell of a queue that may be gone. */
  get #freshRttMs(): number {
    let rtt = this.datagrams.packetsInFlight > 0 || this.strands.length === 0 ? this.datagrams.rttMs : 0;
    for (const strand of this.strands) {
      const fresh = strand.quick || strand.unackedSegments > 0;
      if (fresh && strand.state === 'answered' && !strand.suspect) rtt = Math.max(rtt, strand.rttMs);
    }
    return rtt;
  }

  /** The longest smoothed round trip of its strands as TCP sees it, ms: who says little knows little of the queue. */
  get longestRttMs(): number {
    let rtt = 0;
    for (const strand of this.strands) {
      if (strand.state === 'answered' && !strand.suspect) rtt = Math.max(rtt, strand.rttMs);
    }
    return rtt;
  }

  /** Unsent bytes of all strands: they share the line. A suspect's may never leave, and were given to others. */
  get unsentBytes(): number {
    let sum = 0;
    for (const strand of this.strands) {
      if (strand.state === 'answered' && !strand.suspect) sum += strand.unsentBytes;
    }
    return sum;
  }

  /** Unsent bytes of strands that are cut down for a moment, or slower than what they were given: what this one sends passes them. */
  passedBytes(by: Strand): number {
    let sum = 0;
    for (const strand of this.strands) {
      const lagging = strand !== by && !strand.paced && !this.#fill.feeble && lags(strand);
      if (lagging || squeezed(strand)) sum += strand.unsentBytes;
    }
    return sum;
  }

  /**
   * Bytes given to the kernel and not acknowledged, all strands together: by the other end's TCP, or by itself where a proxy
   * would answer for it. What a stuck strand owes is not on its way: it waits for a time-out, perhaps for seconds after the
   * line is back.
   */
  outstandingBytes(nowMs: number): number {
    let sum = this.rateKnown ? this.datagrams.bytesStillInFlight(nowMs) : this.datagrams.bytesInFlight;
    for (const strand of this.strands) {
      if (strand.state !== 'answered' || strand.suspect || strand.stuck(nowMs)) continue;
      // Its packets are let in by its own window: streams that waited for theirs to leave would starve.
      if (strand.datagram) continue;
      sum += this.#proxied ? strand.flight.bytesInFlight : strand.bytesInFlight + strand.unsentBytes;
    }
    return sum;
  }

  get bytesInFlight(): number {
    let bytes = this.datagrams.bytesInFlight;
    for (const strand of this.strands) {
      if (strand.state === 'answered') bytes += this.#flightOf(strand).bytesInFlight;
    }
    return bytes;
  }

  get bytesAcked(): number {
    let bytes = this.datagrams.bytesAcked;
    for (const strand of this.strands) bytes += this.#flightOf(strand).bytesAcked;
    return bytes;
  }

  get carriedBytes(): number {
    let bytes = this.#closedOut + this.datagrams.bytesLeft;
    for (const strand of this.strands) {
      bytes += strand.bytesOut - (this.#proxied ? 0 : strand.unsentBytes) - this.#flightOf(strand).bytesInFlight;
    }
    return bytes;
  }

  /** See {@link LineFill.drainMs}. */
  get drainMs(): number {
    return this.#fill.drainMs;
  }

  /** See {@link LineFill.windowBytes}; and no more than a little that nobody has seen at the other end, until PING has told whether a proxy is there. */
  windowBytes(nowMs: number): number {
    const windowBytes = this.#fill.windowBytes(nowMs);
    if (!this.wantsPings) return windowBytes;
    let unseenBytes = 0;
    for (const strand of this.strands) unseenBytes += strand.flight.bytesInFlight;
    return Math.min(windowBytes, unseenBytesMax - unseenBytes + this.outstandingBytes(nowMs));
  }

  /** The round trip without our own queue, ms. */
  get baseRttMs(): number {
    return this.#fill.baseRttMs;
  }

  /** An acknowledgement came here, at once when it left the peer, by the peer's clock: microseconds, modulo 2^32. */
  takeReturn(sentUs: number, nowMs: number): void {
    this.#return.take(sentUs, nowMs);
  }

  /** How long what the peer sends waits on its way here, ms; 0 while it sends no bulk: a longer way is no queue. */
  returnQueueMs(nowMs: number): number {
    return nowMs - this.bulkCameMs < bulkComesMs ? this.#return.queueMs(nowMs) : 0;
  }

  /** A packet leaves here that is no bulk, and would wait behind it in the line's queue. A flow that is bulk later was a transfer's beginning. */
  stir(by: FlowKind, nowMs: number): void {
    this.#stirredMs = nowMs;
    this.#stirredBy = by;
  }

  /** How fast bulk packets may leave while something would wait behind them, bytes per second; Infinity while nothing would. */
  packetPace(nowMs: number): number {
    this.#share(nowMs);
    const pace = this.#pace(nowMs);
    return pace === Infinity ? pace : this.#shares.packets(pace);
  }

  #pace(nowMs: number): number {
    const stirred = nowMs - this.#stirredMs < packetLivesMs && this.#stirredBy?.class !== PacketClass.bulk;
    return (this.#streamsMatter || stirred) && !this.#proxied ? this.#fill.pace : Infinity;
  }

  /** Lets bulk out no faster than the line carries it, or as fast as each connection sees fit; `streamsMatter`: something among the streams would wait behind it. */
  pace(streamsMatter: boolean, nowMs: number): void {
    this.#streamsMatter = streamsMatter;
    this.#share(nowMs);
    const whole = this.#pace(nowMs);
    const pace = whole === Infinity ? whole : this.#shares.strands(whole);
    const { carrying } = this.#turns;
    // Others help one whose window is cold with what it cannot use.
    const used = carrying ? (carrying.windowBytes * 1_000) / Math.max(carrying.rttMs, 1) : 0;
    const rest = pace === Infinity ? Infinity : Math.max(pace - used, pace * helpersShareMin);
    for (const strand of this.strands) {
      if (strand.datagram) strand.paceBytesPerSecond = whole === Infinity ? whole : this.#shares.packets(whole);
      else if (!strand.quick) strand.paceBytesPerSecond = strand === carrying ? pace : rest;
    }
  }

  #share(nowMs: number): void {
    let inStrands = this.#closedPacketsOut;
    for (const strand of this.strands) if (strand.datagram) inStrands += strand.bytesOut;
    this.#shares.update(this.bytesOut - inStrands, this.datagrams.bytesGiven + inStrands, nowMs);
  }

  /** The strand that could carry packets, the newest one. */
  get datagramStrand(): Strand | undefined {
    let found: Strand | undefined;
    for (const strand of this.strands) if (strand.datagram && strand.usable) found = strand;
    return found;
  }

  /** The strand that carries packets now, because UDP does not get them through, or few of them. */
  packetStrand(nowMs: number): Strand | undefined {
    const byUdp = this.udp.state !== 'limited' && this.datagrams.answers(nowMs);
    return byUdp ? undefined : this.datagramStrand;
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

  /** The bulk strand for the next chunk; the quick one where there is none. */
  bulk(nowMs: number): Strand | undefined {
    return this.#turns.next(nowMs, this.#fill.hungry(nowMs)) ?? this.quick();
  }

  /** Which bulk strand carries. */
  get carrying(): Strand | undefined {
    return this.#turns.carrying;
  }

  /** The bulk strand that carries has begun just now: the others help it. */
  helping(nowMs: number): boolean {
    return this.#turns.helping(nowMs);
  }
}
