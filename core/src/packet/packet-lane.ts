/**
 * The packet lane of a session: IP packets in, datagrams out, and back. Sans-IO; what seals and opens, and the sockets, are
 * the caller's:
 *
 *     handleLocal...  handleDatagram...  ->  poll until undefined  ->  nextMs  ->  tick
 *
 * A datagram is handled after {@link PacketLane.fresh} and after it was found authentic, never before.
 */
import type { Slab } from '@tresse/kit';

import type { Strand } from '../strand/strand.ts';
import {
  datagramOverheadBytes,
  tunnelHeaderBytes,
  BodyKind,
  bodyKind,
  kindShift,
  packetPrefixBytes,
  PacketClass,
  type PacketPrefix,
  readPacketPrefix,
  writePacketPrefix,
} from './datagram.ts';
import { FlowQueue } from './flow-queue.ts';
import { getsThrough, type PacketLine, type PacketPolicy, PacketSender } from './packet-sender.ts';
import type { PacketSlots } from './packet-slots.ts';
import { PathReceipts } from './path-receipts.ts';
import { PieceStore } from './piece-store.ts';
import { piecePrefixBytes, type PiecePlace, pieceStart, readPiecePlace, writePiecePlace } from './piece.ts';
import { type Report, readReport, reportBytes, writeReport } from './report.ts';
import { type Deliver, Resequencer } from './resequencer.ts';
import type { UdpWatch } from './udp-watch.ts';

/** Header and tag, bytes. */
const sealBytes: number = datagramOverheadBytes - packetPrefixBytes;
/** A path that carries nothing is probed so often while packets leave, and for so long after; and else, ms: routers forget UDP after 30 s (RFC 4787 wishes for more). */
const probeBusyMs = 250;
const busyMs = 1_000;
/** ... and while the peer sends: should its packets stop coming, its address for us may be wrong, which only a datagram of ours can mend. */
const comesMs = 10_000;
const probeIdleMs = 20_000;
/** One that does not answer is asked often at first: a firewall's answer may be seconds away, or never come. */
const probeSilentMs = 2_000;
const hopefulMs = 30_000;
/** On one whose bytes cost, while it carries nothing, ms. */
const probeMeteredMs = 25_000;

/** A path that carries datagrams, and learns from what comes of them. */
export interface DatagramPath extends PacketLine {
  /** The peer has reported: rate and round trip are in {@link PacketLine.datagrams}. */
  takeDatagrams: (nowMs: number) => void;
  readonly udp: UdpWatch;
  readonly datagramStrand: Strand | undefined;
  readonly rttMs: number;
}

/** A body to be sealed and sent: under a number of the path, or in a strand of it. */
export interface Datagram {
  path: number;
  strand: Strand | undefined;
  number: number;
  /** Of the body, bytes. */
  length: number;
}

export interface PacketLaneOptions {
  /** Those that something can be sent on; more may come. */
  readonly paths: ReadonlyMap<number, DatagramPath>;
  readonly slots: PacketSlots;
  readonly policy: PacketPolicy;
  /** Takes the packets that came, in order. */
  readonly deliver: Deliver;
  /** Random; see {@link FlowQueue}. */
  readonly seed: number;
}

export class PacketLane {
  readonly #paths: ReadonlyMap<number, DatagramPath>;
  readonly #slots: PacketSlots;
  readonly #queue: FlowQueue;
  readonly #sender: PacketSender;
  readonly #order: Resequencer;
  readonly #receipts: Map<number, PathReceipts> = new Map();
  readonly #pieces: Map<number, PieceStore> = new Map();
  readonly #prefix: PacketPrefix = { class: PacketClass.bulk, ordered: false, bucket: 0, sequence: 0 };
  readonly #report: Report = { path: 0, highest: 0, arrivedUs: 0, waitedUs: 0, packets: 0, bytes: 0, largest: 0 };
  readonly #datagram: Datagram = { path: 0, strand: undefined, number: 0, length: 0 };
  readonly #place: PiecePlace = { length: 0, index: 0, pieces: 0 };
  /** A probe for how large datagrams may be has left there: a small one follows, whose arrival tells that the large one is lost. */
  #followOn: DatagramPath | undefined;
  /** Since when a path is late of which it is not known whether it alone is, ms. */
  #lateMs: number = Infinity;
  #judgedMs: number = -Infinity;
  /** Reports and probes that are due have left: packets leave, until none may. */
  #askedFor = false;
  /** When a packet left last. */
  #busyMs: number = -Infinity;
  /** ... and came. */
  #cameMs: number = -Infinity;
  /** Authentic, and yet no body of ours: a peer that errs. */
  malformed = 0;

  constructor(options: PacketLaneOptions) {
    this.#paths = options.paths;
    this.#slots = options.slots;
    this.#queue = new FlowQueue(options.slots, options.seed);
    this.#sender = new PacketSender(this.#queue, options.slots, options.policy);
    this.#order = new Resequencer(options.slots, options.deliver);
  }

  get queue(): Readonly<Pick<FlowQueue, 'dropped' | 'crowdedOut' | 'refused' | 'bytesOf'>> {
    return this.#queue;
  }

  get order(): Readonly<Pick<Resequencer, 'late' | 'givenUp' | 'copies' | 'held'>> {
    return this.#order;
  }

  /** Realtime packets sent twice. */
  get copies(): number {
    return this.#sender.copies;
  }

  /** Packets sent in pieces, and packets given up because a piece did not come. */
  get split(): number {
    return this.#sender.split;
  }

  get unfinished(): number {
    let sum = 0;
    for (const pieces of this.#pieces.values()) sum += pieces.lost;
    return sum;
  }

  /** Packets get through on one path at least. */
  carries(nowMs: number): boolean {
    for (const path of this.#paths.values()) if (getsThrough(path, nowMs)) return true;
    return false;
  }

  /** An IP packet of this side's, to be sent. */
  handleLocal(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    this.#queue.push(bytes, start, end, nowMs);
  }

  /** Whether this datagram was never seen; what was is not worth opening. */
  fresh(path: number, number: number): boolean {
    return this.#receipts.get(path)?.fresh(number) ?? true;
  }

  /**
   * The body, opened, of an authentic datagram. Returns whether its number is the highest of the path so far:
   * only such a one tells where the peer is now.
   */
  handleDatagram(path: number, number: number, slab: Slab, start: number, end: number, nowMs: number): boolean {
    const receipts = this.#receiptsOf(path);
    const kind = bodyKind(slab.bytes[start] ?? 0);
    const length = end - start;
    // What is no packet fills no line, and is not counted as on its way.
    const carries = kind === BodyKind.packet || kind === BodyKind.piece;
    if (carries) this.#cameMs = nowMs;
    const counted = carries ? length + sealBytes + tunnelHeaderBytes : 0;
    const highest = receipts.take(number, counted, length + sealBytes, nowMs);
    if (kind === BodyKind.packet) this.#takePacket(path, slab, start, end, nowMs);
    else if (kind === BodyKind.piece) this.#takePiece(path, slab, start, end, nowMs);
    else if (kind === BodyKind.report) this.#takeReport(slab.bytes, start, end, nowMs);
    receipts.owe(kind !== BodyKind.report, nowMs);
    this.#paths.get(path)?.udp.notePeer(receipts.sent, receipts.came, nowMs);
    return highest;
  }

  /** A body that came in a strand of a path: a packet, or the peer errs. */
  handleInStrand(path: number, slab: Slab, start: number, end: number, nowMs: number): void {
    this.#paths.get(path)?.udp.noteInStrand(nowMs);
    if (bodyKind(slab.bytes[start] ?? 0) === BodyKind.packet) this.#takePacket(path, slab, start, end, nowMs);
    else this.malformed++;
  }

  /** Writes the next body to `out` from `start` on. Returns where it goes, until the next call; undefined while nothing may leave. */
  poll(out: Slab, start: number, nowMs: number): Readonly<Datagram> | undefined {
    this.#judge(nowMs);
    if (!this.#askedFor) {
      const asked =
        this.#pollReport(out, start, nowMs) ??
        this.#pollProbe(out, start, nowMs) ??
        this.#pollMtuProbe(out, start, nowMs);
      if (asked) return asked;
    }
    const packet = this.#pollPacket(out, start, nowMs);
    // What is due is looked for once a turn, and not before every packet.
    this.#askedFor = packet !== undefined;
    return packet;
  }

  /** When to come again, ms; Infinity: when something comes. */
  nextMs(nowMs: number): number {
    let next = Math.min(this.#sender.nextMs, this.#order.nextMs(nowMs));
    for (const receipts of this.#receipts.values()) next = Math.min(next, receipts.dueMs);
    for (const pieces of this.#pieces.values()) next = Math.min(next, pieces.nextMs);
    for (const path of this.#paths.values()) {
      next = Math.min(next, this.#probeMs(path, nowMs), this.#mtuProbeMs(path, nowMs));
      if (path.datagrams.lateMs > nowMs) next = Math.min(next, path.datagrams.lateMs);
    }
    return next;
  }

  tick(nowMs: number): void {
    this.#order.tick(nowMs);
    for (const pieces of this.#pieces.values()) pieces.tick(nowMs);
  }

  #takePacket(path: number, slab: Slab, start: number, end: number, nowMs: number): void {
    if (!readPacketPrefix(slab.bytes, start, end, this.#prefix)) {
      this.malformed++;
      return;
    }
    const at = start + packetPrefixBytes;
    const { bucket, sequence, ordered } = this.#prefix;
    this.#queue.noteReceived(slab.bytes, at, end, nowMs);
    this.#order.take(path, bucket, sequence, ordered, slab, at, end - at, nowMs);
  }

  #takePiece(path: number, slab: Slab, start: number, end: number, nowMs: number): void {
    const { bytes } = slab;
    if (!readPacketPrefix(bytes, start, end, this.#prefix) || !readPiecePlace(bytes, start, end, this.#place)) {
      this.malformed++;
      return;
    }
    let pieces = this.#pieces.get(path);
    if (!pieces) {
      pieces = new PieceStore(this.#slots);
      this.#pieces.set(path, pieces);
    }
    const slot = pieces.take(this.#prefix, this.#place, bytes, start, nowMs);
    if (slot < 0) return;
    const { slab: whole } = this.#slots;
    const at = this.#slots.startOf(slot);
    const length = this.#slots.lengthOf(slot);
    const { bucket, sequence, ordered } = this.#prefix;
    this.#queue.noteReceived(whole.bytes, at, at + length, nowMs);
    this.#order.take(path, bucket, sequence, ordered, whole, at, length, nowMs);
    this.#slots.give(slot);
  }

  #takeReport(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    const report = this.#report;
    const path = readReport(bytes, start, end, report) ? this.#paths.get(report.path) : undefined;
    if (path?.datagrams.take(report, nowMs) === true) path.takeDatagrams(nowMs);
    else this.malformed++;
  }

  #pollReport(out: Slab, start: number, nowMs: number): Datagram | undefined {
    for (const [id, receipts] of this.#receipts) {
      if (receipts.dueMs > nowMs) continue;
      const path = this.#paths.get(id);
      receipts.report(this.#report, nowMs);
      if (!path) continue;
      writeReport(out.bytes, start, this.#report);
      // It fills no line, and need not be known to have come.
      return this.#leaves(id, path.datagrams.give(0, true, nowMs, false), reportBytes);
    }
    return undefined;
  }

  /** A path of which nothing is heard, though another one is, carries nothing more; where no other was heard meanwhile, they are asked. */
  #judge(nowMs: number): void {
    if (nowMs === this.#judgedMs) return;
    this.#judgedMs = nowMs;
    this.#lateMs = Infinity;
    for (const path of this.#paths.values()) {
      const { lateMs } = path.datagrams;
      if (path.usable) path.udp.look(path.datagrams, path.datagramStrand, path.rttMs, nowMs);
      if (!path.usable || lateMs > nowMs || !path.datagrams.answers(nowMs)) continue;
      if (this.#witness(path, lateMs)) path.datagrams.doubt();
      else this.#lateMs = Math.min(this.#lateMs, lateMs);
    }
  }

  #witness(late: DatagramPath, sinceMs: number): boolean {
    for (const path of this.#paths.values()) {
      if (path !== late && path.usable && path.datagrams.heardMs >= sinceMs) return true;
    }
    return false;
  }

  #pollProbe(out: Slab, start: number, nowMs: number): Datagram | undefined {
    for (const path of this.#paths.values()) {
      if (this.#probeMs(path, nowMs) > nowMs) continue;
      out.bytes[start] = BodyKind.probe << kindShift;
      return this.#leaves(path.id, path.datagrams.give(0, true, nowMs), 1);
    }
    return undefined;
  }

  /** When a path that carries nothing is asked how it is, ms: often while the others carry something, to keep routers' doors open while none does. */
  #probeMs(path: DatagramPath, nowMs: number): number {
    if (!path.usable) return Infinity;
    const { givenMs, askedMs } = path.datagrams;
    if (!path.datagrams.answers(nowMs)) {
      if (nowMs - askedMs < hopefulMs) return givenMs + probeBusyMs;
      return givenMs + (path.metered ? probeMeteredMs : probeSilentMs);
    }
    // Where all that was on its way is lost, and the reports of it, only a probe tells.
    const busy = nowMs - this.#busyMs < busyMs || nowMs - this.#cameMs < comesMs || !this.#queue.empty;
    // Where another path is late, this one's answer tells whether that is the path's fault.
    if (this.#lateMs <= nowMs && givenMs < this.#lateMs && path.datagrams.lateMs > nowMs) return nowMs;
    // One that is spared need not be known from moment to moment.
    if (path.metered && nowMs - path.datagrams.carriedMs > busyMs) return givenMs + probeMeteredMs;
    return givenMs + (busy ? probeBusyMs : probeIdleMs);
  }

  #pollMtuProbe(out: Slab, start: number, nowMs: number): Datagram | undefined {
    const follow = this.#followOn;
    if (follow) {
      this.#followOn = undefined;
      out.bytes[start] = BodyKind.probe << kindShift;
      return this.#leaves(follow.id, follow.datagrams.give(0, true, nowMs), 1);
    }
    for (const path of this.#paths.values()) {
      if (this.#mtuProbeMs(path, nowMs) > nowMs) continue;
      const { mtu } = path.datagrams;
      const bytes = mtu.probeBytes;
      const length = bytes - sealBytes;
      out.bytes.fill(0, start, start + length);
      out.bytes[start] = BodyKind.probe << kindShift;
      // It may be lost for its size: no sign of the path's death.
      const number = path.datagrams.give(0, true, nowMs, false);
      mtu.probed(number, bytes, nowMs);
      this.#followOn = path;
      return this.#leaves(path.id, number, length);
    }
    return undefined;
  }

  #mtuProbeMs(path: DatagramPath, nowMs: number): number {
    const { datagrams } = path;
    return path.usable && datagrams.answers(nowMs) ? datagrams.mtu.probeDueMs(datagrams.rttMs) : Infinity;
  }

  #pollPacket(out: Slab, start: number, nowMs: number): Datagram | undefined {
    const next = this.#sender.poll(this.#paths, nowMs);
    if (!next) return undefined;
    this.#busyMs = nowMs;
    const { length, index, pieces } = next.place;
    const prefixBytes = pieces > 1 ? piecePrefixBytes : packetPrefixBytes;
    writePacketPrefix(out.bytes, start, next.prefix, pieces > 1 ? BodyKind.piece : BodyKind.packet);
    if (pieces > 1) writePiecePlace(out.bytes, start, next.place);
    const packet = this.#slots.startOf(next.slot);
    const from = pieceStart(length, index, pieces);
    const until = pieceStart(length, index + 1, pieces);
    out.bytes.set(this.#slots.slab.bytes.subarray(packet + from, packet + until), start + prefixBytes);
    return this.#leaves(next.path, next.number, prefixBytes + until - from, next.strand);
  }

  #leaves(path: number, number: number, length: number, strand?: Strand): Datagram {
    this.#datagram.path = path;
    this.#datagram.strand = strand;
    this.#datagram.number = number;
    this.#datagram.length = length;
    return this.#datagram;
  }

  #receiptsOf(path: number): PathReceipts {
    let receipts = this.#receipts.get(path);
    if (!receipts) {
      receipts = new PathReceipts(path);
      this.#receipts.set(path, receipts);
    }
    return receipts;
  }
}
