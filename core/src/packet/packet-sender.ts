/**
 * Which packet leaves next, and on which line. Bulk is spread: a line takes a packet if it arrives there before the other lines
 * have brought all that waits, as with streams; so a flow that the best line can carry stays there, and a far one helps
 * where there is a queue. Interactive flows stay on the line that answers soonest. Realtime ones do too, and their
 * packets go a second time on another line where the first one loses or shakes: the copy costs little, a gap in a call much.
 */
import type { Strand } from '../strand/strand.ts';
import type { DatagramFlight } from './datagram-flight.ts';
import { PacketClass, type PacketPrefix, packetPrefixBytes, wireOverheadBytes } from './datagram.ts';
import type { FlowQueue } from './flow-queue.ts';
import type { Flow } from './flow.ts';
import { PacketPace } from './packet-pace.ts';
import type { PacketSlots } from './packet-slots.ts';
import { piecePrefixBytes, type PiecePlace, piecesOf, pieceStart } from './piece.ts';
import { type Spread, type SpreadLine, type SpreadName, spreads } from './spread.ts';

/** So many buckets share out the flows' sequences. */
const buckets = 4_096;
/** A flow leaves its line for one that answers sooner by so much, ms and share: no flapping between equals. */
const soonerMs = 5;
const soonerShare = 0.25;
/** A realtime packet goes twice where so many are lost, or the round trip wanders by so many ms. */
const lossMax = 0.005;
const jitterMsMax = 8;
/** ... and where so much of what may be is on the line. */
const filledShare = 0.25;
/** A flow that has changed its line within so long is to be put in order again, ms: one that stays on a line keeps its order, and a call would rather have its packets. */
const spreadMs = 2_000;
/** What is no longer is an acknowledgement or a question: the newest counts, and would only wait for what stands on the slow line its flow has left, bytes. */
const signalBytesMax = 256;
/** No line is reckoned to be slower, bytes per second: one that an outage made look so would never be tried again. */
const rateMin = 31_250;
/** What is not bulk may go beyond a line's window so many times: it is little, and must not wait. */
const windowGain = 2;
/** ... and a line helps a bulk flow of another one where that is sooner by so much, ms. */
const awayMs = 8;
/** A flow leaves its line for one about as near that carries so much more. */
const homeGain = 1.5;
/** So much may stand unsent in a strand that carries packets: what stands there is behind in no queue of ours, and overtaken by nothing. */
const strandUnsentBytesMax = 3_000;
/** Bulk may wait there so long, ms: nobody looks at it more often. */
const strandUnsentMs = 4;
/** Until it has room: a look so soon, ms. */
const strandLookMs = 1;
/** While it is being found out what lines carry, packets may stand longer by so much, ms: a drop would tell their sender of a line that is full, where ours is only not known. */
const findingMs = 200;
/** The pace of what such a line may take in a round trip: with the gain of such lines it leaves in two thirds of one. */
const startShare = 0.5;

const byUrgency: readonly PacketClass[] = [PacketClass.realtime, PacketClass.interactive, PacketClass.bulk];

/** What a flow is taken for now. */
export interface FlowKind {
  readonly class: PacketClass;
}

/** A path as the packet lane sees it. */
export interface PacketLine {
  readonly id: number;
  /** May carry anything new. */
  readonly usable: boolean;
  /** Its bytes cost: it carries only while no other line does. */
  readonly metered: boolean;
  readonly datagrams: DatagramFlight;
  /** What carries packets in place of datagrams. */
  packetStrand: (nowMs: number) => Strand | undefined;
  /** Bytes per second to reckon with. */
  rate: () => number;
  /** That is what it carries, and no lower bound. */
  readonly rateKnown: boolean;
  /** One way, queue included, ms. */
  packetDelayMs: (nowMs: number) => number;
  /** Without a queue. */
  readonly bareDelayMs: number;
  /** Smoothed, ms. */
  readonly rttMs: number;
  /** What is given is no bulk. */
  stir: (by: FlowKind, nowMs: number) => void;
  /** How fast bulk may leave, bytes per second; Infinity while nothing waits behind it. */
  packetPace: (nowMs: number) => number;
  /** On its way, of both lanes, and how much may be, bytes. */
  outstandingBytes: (nowMs: number) => number;
  windowBytes: (nowMs: number) => number;
}

/** What is to leave: on which path, in which strand, or under which number, what stands before the packet, and where it is. */
export interface Outgoing {
  path: number;
  strand: Strand | undefined;
  number: number;
  prefix: PacketPrefix;
  slot: number;
  /** Which piece of it; the only one, mostly. */
  readonly place: PiecePlace;
}

/** Whether realtime packets go a second time, on another line: where the first one loses, shakes or is being filled, or always, or never. */
export type RealtimeCopies = 'auto' | 'always' | 'never';

/** How a side's packets are laid over the lines. */
export interface PacketPolicy {
  readonly bulk: SpreadName;
  readonly realtimeCopies: RealtimeCopies;
}

export const defaultPacketPolicy: PacketPolicy = { bulk: 'earliest', realtimeCopies: 'auto' };

interface Candidate extends SpreadLine {
  line: PacketLine;
  strand: Strand | undefined;
  /** What it carries is not known yet, and is more than is given to it. */
  finding: boolean;
  pace: PacketPace;
  /** How much more may be on its way, bytes. */
  roomBytes: number;
  /** On its way, or unsent in the strand, bytes; and from how much on it takes not even what must not wait. */
  aheadBytes: number;
  fullBytes: number;
  /** {@link aheadBytes} over the rate tells of a queue. */
  rateKnown: boolean;
  /** Its queue has run over: what fills it has to wait for its turn, be it bulk or not. */
  spilt: boolean;
}

export class PacketSender {
  readonly #queue: FlowQueue;
  readonly #slots: PacketSlots;
  readonly #spread: Spread;
  readonly #realtimeCopies: RealtimeCopies;
  readonly #lines: Candidate[] = [];
  readonly #sequences: Uint32Array = new Uint32Array(buckets);
  readonly #paces: Map<number, PacketPace> = new Map();
  readonly #out: Outgoing = {
    path: 0,
    strand: undefined,
    number: 0,
    prefix: { class: PacketClass.bulk, ordered: false, bucket: 0, sequence: 0 },
    slot: -1,
    place: { length: 0, index: 0, pieces: 1 },
  };
  /** Where the packet goes of which not all pieces have left. */
  #restOn: PacketLine | undefined;
  /** The last one goes once more on each of these. */
  readonly #copiesOn: PacketLine[] = [];
  #count = 0;
  /** The rate of the line surveyed last is being found out. */
  #finding = false;
  /** The lines were looked at, and nothing has happened since but what left. */
  #surveyed = false;
  #surveyedMs = -Infinity;
  #nextMs: number = Infinity;
  /** Sent twice on purpose, and sent in pieces. */
  copies = 0;
  split = 0;

  constructor(queue: FlowQueue, slots: PacketSlots, policy: PacketPolicy) {
    this.#queue = queue;
    this.#slots = slots;
    this.#spread = spreads[policy.bulk]();
    this.#realtimeCopies = policy.realtimeCopies;
  }

  /** When something may leave that may not now, ms; Infinity where that is not a matter of time. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** The next datagram, or undefined while none may leave. It is the sender's until the next call, and its packet stands in its place until then. */
  poll(lines: ReadonlyMap<number, PacketLine>, nowMs: number): Readonly<Outgoing> | undefined {
    if (this.#restOn) {
      this.#out.place.index++;
      this.#givePiece(this.#restOn, nowMs);
      return this.#out;
    }
    const copyOn = this.#copiesOn.pop();
    if (copyOn) {
      this.copies++;
      this.#give(copyOn, nowMs);
      return this.#out;
    }
    this.#release();
    if (this.#queue.empty) {
      this.#surveyed = false;
      this.#nextMs = Infinity;
      return undefined;
    }
    if (!this.#surveyed || this.#surveyedMs !== nowMs) this.#survey(lines, nowMs);
    for (const kind of byUrgency) {
      if (this.#queue.bytesOf(kind) > 0 && this.#send(kind, nowMs)) return this.#out;
    }
    this.#surveyed = false;
    this.#nextMs = this.#soonestMs(nowMs);
    return undefined;
  }

  /** The place of what left last is free. */
  #release(): void {
    if (this.#out.slot < 0) return;
    this.#slots.give(this.#out.slot);
    this.#out.slot = -1;
  }

  #send(kind: PacketClass, nowMs: number): boolean {
    const flow = this.#queue.next(kind, this.#patienceMs(kind), nowMs);
    if (!flow) return false;
    const at = kind === PacketClass.bulk ? this.#forBulk(flow) : this.#homeOf(flow, kind);
    const line = this.#lines[at]?.line;
    if (!line) {
      this.#queue.settle(flow, kind, false);
      return false;
    }
    if (flow.line !== line.id && flow.line !== 0) flow.changedMs = nowMs;
    flow.line = line.id;
    this.#fill(flow, kind, nowMs);
    this.#queue.settle(flow, kind, true);
    if (kind !== PacketClass.bulk) line.stir(flow.kind, nowMs);
    this.#give(line, nowMs);
    if (kind === PacketClass.realtime) this.#copyRealtime(at, nowMs);
    else if (kind === PacketClass.bulk && this.#spread.everywhere) this.#copyEverywhere(line);
    return true;
  }

  #fill(flow: Flow, kind: PacketClass, nowMs: number): void {
    const out = this.#out;
    const bucket = flow.hash % buckets;
    out.slot = this.#queue.take(flow, kind);
    out.place.length = this.#slots.lengthOf(out.slot);
    out.prefix.class = kind;
    const sequent =
      kind === PacketClass.bulk || (kind === PacketClass.interactive && out.place.length > signalBytesMax);
    out.prefix.ordered = sequent && nowMs - flow.changedMs < spreadMs;
    out.prefix.bucket = bucket;
    out.prefix.sequence = this.#sequences[bucket] ?? 0;
    this.#sequences[bucket] = out.prefix.sequence + 1;
  }

  #give(line: PacketLine, nowMs: number): void {
    const { place } = this.#out;
    place.index = 0;
    const strand = line.packetStrand(nowMs);
    this.#out.strand = strand;
    // A strand cuts where it likes.
    place.pieces = strand ? 1 : piecesOf(place.length, line.datagrams.mtu.limitBytes);
    if (place.pieces > 1) this.split++;
    this.#givePiece(line, nowMs);
  }

  #givePiece(line: PacketLine, nowMs: number): void {
    const { length, index, pieces } = this.#out.place;
    const more = pieces > 1 ? piecePrefixBytes - packetPrefixBytes : 0;
    const bytes = pieceStart(length, index + 1, pieces) - pieceStart(length, index, pieces) + more + wireOverheadBytes;
    this.#restOn = index + 1 < pieces ? line : undefined;
    this.#out.path = line.id;
    const { classBytes } = line.datagrams;
    classBytes[this.#out.prefix.class] = (classBytes[this.#out.prefix.class] ?? 0) + bytes;
    if (this.#out.strand) {
      this.#surveyed = false;
      return;
    }
    this.#out.number = line.datagrams.give(bytes, this.#queue.empty, nowMs);
    const own = this.#candidateOf(line);
    (own?.pace ?? this.#paceOf(line)).spend(bytes);
    if (own) this.#spent(own, bytes);
  }

  #candidateOf(line: PacketLine): Candidate | undefined {
    for (let i = 0; i < this.#count; i++) if (this.#lines[i]?.line === line) return this.#lines[i];
    return undefined;
  }

  /** What a survey would find: looking at every line again for every packet would cost more than sealing it. */
  #spent(one: Candidate, bytes: number): void {
    one.roomBytes -= bytes;
    one.aheadBytes += bytes;
    one.open = one.pace.open && one.roomBytes > 0;
    if (!one.pace.open) one.line.datagrams.unsentBytes = this.#queue.bytesOf(PacketClass.bulk);
  }

  #survey(lines: ReadonlyMap<number, PacketLine>, nowMs: number): void {
    this.#surveyed = true;
    this.#surveyedMs = nowMs;
    this.#count = 0;
    const spares = hasOrdinary(lines, nowMs);
    for (const line of lines.values()) {
      if (!getsThrough(line, nowMs) || (line.metered && spares)) continue;
      const strand = line.packetStrand(nowMs);
      const pace = this.#paceOf(line);
      const rate = Math.max(rateMin, line.rate());
      const roomBytes = strand ? 0 : this.#udpRoomBytes(line, pace, rate, nowMs);
      const open = strand ? strandTakes(strand, rate) : pace.open && roomBytes > 0;
      const unsentBytes = strand ? strand.unsentBytes : 0;
      const finding = !strand && this.#finding;
      const at = this.#count++;
      const spilt = !strand && line.datagrams.spilt(nowMs);
      const aheadBytes = strand ? unsentBytes : line.outstandingBytes(nowMs);
      const fullBytes = strand ? strandUnsentBytesMax + 1 : windowGain * line.windowBytes(nowMs);
      const rateKnown = !strand && line.rateKnown;
      const known = this.#lines[at];
      if (known) {
        known.line = line;
        known.id = line.id;
        known.strand = strand;
        known.pace = pace;
        known.finding = finding;
        known.rate = rate;
        known.open = open;
        known.roomBytes = roomBytes;
        known.aheadBytes = aheadBytes;
        known.fullBytes = fullBytes;
        known.rateKnown = rateKnown;
        known.spilt = spilt;
        known.unsentBytes = unsentBytes;
        known.delayMs = line.packetDelayMs(nowMs);
      } else {
        this.#lines.push({
          id: line.id,
          line,
          strand,
          finding,
          pace,
          roomBytes,
          aheadBytes,
          fullBytes,
          rateKnown,
          spilt,
          rate,
          open,
          unsentBytes,
          delayMs: line.packetDelayMs(nowMs),
        });
      }
    }
  }

  /** Sets the pace, and returns what of the line's window is free. */
  #udpRoomBytes(line: PacketLine, pace: PacketPace, rate: number, nowMs: number): number {
    const { datagrams } = line;
    const most = Math.max(rateMin, line.packetPace(nowMs));
    const known = line.rateKnown && !(most === Infinity && datagrams.unfilled(nowMs));
    const spilt = datagrams.spilt(nowMs);
    // What was reckoned with is too much: what came is not.
    const cameRate = spilt && !line.rateKnown && datagrams.deliveryRate > 0 ? datagrams.deliveryRate : Infinity;
    const startBytes = known ? 0 : datagrams.startBytes(nowMs);
    // Who doubles what he sends each round trip must not wait here, or he takes our queue for the line's and stops.
    const startRate = (startShare * startBytes * 1_000) / Math.max(line.rttMs, 1);
    const paced = Math.min(Math.max(rate, startRate), Math.max(rateMin, cameRate));
    const ready = pace.ready(paced, spilt ? 'full' : known ? 'known' : 'least', most, nowMs);
    this.#finding = !known && !spilt;
    datagrams.paced = most < Infinity;
    datagrams.unsentBytes = ready ? 0 : this.#queue.bytesOf(PacketClass.bulk);
    return Math.max(line.windowBytes(nowMs), startBytes) - line.outstandingBytes(nowMs);
  }

  /** Other lines than a flow's own help once a queue stands there: what comes by turns on lines of unequal delay looks like a queue to its sender. */
  #forBulk(flow: Flow): number {
    const bytes = this.#slots.lengthOf(flow.head) + wireOverheadBytes;
    const home = this.#homeOf(flow, PacketClass.bulk);
    this.#away(home, awayMs);
    const at = this.#spread.choose(this.#lines, this.#count, flow, bytes, this.#queue.bytesOf(PacketClass.bulk));
    this.#away(home, -awayMs);
    return at;
  }

  #away(home: number, ms: number): void {
    for (let i = 0; i < this.#count; i++) {
      const one = this.#lines[i];
      if (one && i !== home) one.delayMs += ms;
    }
  }

  /**
   * The flow's own line while none answers clearly sooner; else, of those that answer about as soon as the soonest, the one that
   * carries most: what begins small may be a transfer, whose sender takes the longer way of another line for a queue.
   */
  #homeOf(flow: Flow, kind: PacketClass): number {
    let soonestMs = Infinity;
    for (let i = 0; i < this.#count; i++) {
      if (this.#takesSoon(i, kind)) soonestMs = Math.min(soonestMs, this.#soonMs(i));
    }
    let best = -1;
    let bestRate = -Infinity;
    let own = -1;
    for (let i = 0; i < this.#count; i++) {
      const one = this.#lines[i];
      if (!one || !this.#takesSoon(i, kind)) continue;
      const ms = this.#soonMs(i);
      if (ms > soonestMs * (1 + soonerShare) + soonerMs) continue;
      if (one.line.id === flow.home) own = i;
      const rate = kind === PacketClass.realtime ? -ms : one.rate;
      if (rate < bestRate || (rate === bestRate && ms >= this.#soonMs(best))) continue;
      best = i;
      bestRate = rate;
    }
    const ownRate = this.#lines[own]?.rate ?? -1;
    if (own >= 0 && (kind === PacketClass.realtime || ownRate * homeGain >= bestRate)) return own;
    flow.home = this.#lines[best]?.line.id ?? flow.home;
    return best;
  }

  #takesSoon(at: number, kind: PacketClass): boolean {
    const one = this.#lines[at];
    if (!one || one.aheadBytes >= one.fullBytes) return false;
    return !one.spilt || one.pace.open || kind === PacketClass.realtime;
  }

  /** How long packets of a kind may stand beyond what is usual, ms, and be no fault of their sender's. */
  #patienceMs(kind: PacketClass): number {
    if (kind === PacketClass.realtime) return 0;
    let finding = false;
    for (let i = 0; i < this.#count; i++) finding ||= this.#lines[i]?.finding === true;
    return (kind === PacketClass.bulk ? this.#apartMs() + awayMs : 0) + (finding ? findingMs : 0);
  }

  /** How much longer the way over the farthest line is, ms: a line takes its part once so much waits for the others. */
  #apartMs(): number {
    let least = Infinity;
    let most = 0;
    for (let i = 0; i < this.#count; i++) {
      least = Math.min(least, this.#delay(i));
      most = Math.max(most, this.#delay(i));
    }
    return Math.max(0, most - least);
  }

  #delay(at: number): number {
    return this.#lines[at]?.delayMs ?? Infinity;
  }

  #soonMs(at: number): number {
    const one = this.#lines[at];
    return one ? soonMs(one) : Infinity;
  }

  /** Once more on the best of the other lines, where that is worth it. */
  #copyRealtime(first: number, nowMs: number): void {
    const own = this.#lines[first]?.line;
    if (!own || this.#realtimeCopies === 'never') return;
    if (this.#realtimeCopies === 'auto' && !shakes(own) && !isFilled(own, nowMs)) return;
    let best = -1;
    for (let i = 0; i < this.#count; i++) if (i !== first && (best < 0 || this.#delay(i) < this.#delay(best))) best = i;
    const line = this.#lines[best]?.line;
    if (line) this.#copiesOn.push(line);
  }

  #copyEverywhere(except: PacketLine): void {
    for (let i = 0; i < this.#count; i++) {
      const one = this.#lines[i];
      if (one?.open === true && one.line !== except) this.#copiesOn.push(one.line);
    }
  }

  #soonestMs(nowMs: number): number {
    let soonest = Infinity;
    for (let i = 0; i < this.#count; i++) {
      const one = this.#lines[i];
      const waitMs = one ? (one.strand ? strandLookMs : one.pace.waitMs) : 0;
      if (waitMs > 0) soonest = Math.min(soonest, nowMs + waitMs);
    }
    return soonest;
  }

  #paceOf(line: PacketLine): PacketPace {
    let pace = this.#paces.get(line.id);
    if (!pace) {
      pace = new PacketPace();
      this.#paces.set(line.id, pace);
    }
    return pace;
  }
}

function hasOrdinary(lines: ReadonlyMap<number, PacketLine>, nowMs: number): boolean {
  for (const line of lines.values()) if (!line.metered && getsThrough(line, nowMs)) return true;
  return false;
}

/** Whether packets get through on a line, this way or that. */
export const getsThrough = (line: PacketLine, nowMs: number): boolean =>
  line.usable && (line.datagrams.answers(nowMs) || line.packetStrand(nowMs) !== undefined);

function strandTakes(strand: Strand, rate: number): boolean {
  const most = Math.max(strandUnsentBytesMax, (rate * strandUnsentMs) / 1_000);
  return strand.unsentBytes === 0 || (strand.unsentBytes < most && strand.roomBytes > 0);
}

/** How long a packet given now is on its way, ms, as far as that is known: what reports tell is a round trip old, and a feeble line is full by then. */
function soonMs({ line, strand, delayMs, rate, aheadBytes, rateKnown }: Candidate): number {
  const aheadMs = (aheadBytes * 1_000) / rate;
  if (strand) return delayMs + aheadMs;
  return rateKnown ? Math.max(delayMs, aheadMs - line.bareDelayMs) : delayMs;
}

/** Somebody fills it: now and then a packet waits there longer than the line's pace lets expect. */
const isFilled = (line: PacketLine, nowMs: number): boolean =>
  line.outstandingBytes(nowMs) > filledShare * line.windowBytes(nowMs);

const shakes = (line: PacketLine): boolean =>
  line.datagrams.lossRatio > lossMax || line.datagrams.jitterMs > jitterMsMax;
