/** Drives a session's packet lane: IP packets of this side's hosts one way, sealed datagrams on every path's socket the other. */
import {
  type DatagramHeader,
  datagramHeaderBytes,
  type Deliver,
  defaultPacketPolicy,
  limits,
  PacketLane,
  type PacketPolicy,
  PacketSlots,
  type Path,
  sealCounterOf,
  type Side,
  type Strand,
  writeDatagramHeader,
} from '@tresse/core';
import type { Slab } from '@tresse/kit';
import {
  type Aead,
  copyEndpoint,
  type Endpoint,
  endpoint,
  type EventLoop,
  nativeSlab,
  randomBytes,
  type Timer,
} from '@tresse/sys';

import type { SessionStatus } from '../api.ts';
import { DatagramTrains, type Way } from './datagram-trains.ts';
import { firstKeyNumber, packetKeys, type PacketKeys } from './packet-keys.ts';
import { reportLane, reportPath } from './packet-report.ts';
import type { Log } from './session-driver.ts';

/** Packets that may wait, of all flows of a session: 8 MB. */
const slotCount = 4_096;
const { tagBytes } = limits;

/** One of these serves all sessions of a thread: it is empty after each one's turn. */
const trains: DatagramTrains = new DatagramTrains();
/** What goes in a strand is sent at once. */
const out: Slab = nativeSlab(4_096);
/** The same, from where a record begins whose body stands where a datagram's does. */
const outRecord: Slab = partOf(out, datagramHeaderBytes - limits.recordHeaderBytes - limits.frameHeaderBytes);

/** What seals and opens, named in datagrams by the number of its kid. */
interface NumberedKeys extends PacketKeys {
  readonly number: number;
  readonly aead: Aead;
}

/** Sends a body in a strand; it stands at the beginning of the memory, behind room for the headers of record and frame. */
export type SendInStrand = (strand: Strand, slab: Slab, length: number) => void;

export interface PacketCounters {
  /** Datagrams that were not authentic, under no key of ours, or seen before. */
  forged: number;
  /** Of a path the session does not have. */
  strayed: number;
  /** The kernel took one not. */
  unsent: number;
}

/** Says once that datagrams leave one by one, where the kernel has refused several in one call. */
export function tellRefusal(log: Log): void {
  if (!trains.takeRefusal() || refusalTold) return;
  refusalTold = true;
  log('info', 'the kernel does not send several datagrams at once on a line: packets take more processor', {});
}

let refusalTold = false;

export class PacketDriver {
  readonly lane: PacketLane;
  readonly counters: PacketCounters = { forged: 0, strayed: 0, unsent: 0 };
  readonly #side: Side;
  readonly #loop: EventLoop;
  readonly #ways: Map<number, Way> = new Map();
  readonly #paths: ReadonlyMap<number, Path>;
  /** Paths that stand, and whose other end has an address: something can be sent there. */
  readonly #reachable: Map<number, Path> = new Map();
  /** By number, the oldest first. */
  readonly #keys: Map<number, NumberedKeys> = new Map();
  /** What seals. */
  #sealing: NumberedKeys | undefined;
  readonly #header: DatagramHeader = { path: 0, key: firstKeyNumber, session: 0, number: 0 };
  readonly #timer: Timer;
  readonly #stands: (path: Path) => boolean;
  readonly #sendInStrand: SendInStrand;
  #dirty = true;

  /** `deliver` takes the packets that came for this side's hosts; `stands` tells which paths lead anywhere: a path that is gone for good leaves the relay no other sign. */
  constructor(
    side: Side,
    loop: EventLoop,
    paths: ReadonlyMap<number, Path>,
    deliver: Deliver,
    sendInStrand: SendInStrand,
    policy: PacketPolicy = defaultPacketPolicy,
    stands: (path: Path) => boolean = (path) => path.answered,
  ) {
    this.#sendInStrand = sendInStrand;
    this.#stands = stands;
    this.#side = side;
    this.#loop = loop;
    this.#paths = paths;
    this.lane = new PacketLane({
      paths: this.#reachable,
      slots: new PacketSlots(slotCount, nativeSlab),
      policy,
      deliver,
      seed: new DataView(randomBytes(4).buffer).getUint32(0),
    });
    this.#timer = loop.timer(() => this.#onTime());
  }

  /**
   * What comes may be under any key that was added and not {@link forget | forgotten}. What leaves is under the newest the other side surely has: the box
   * makes the handshakes, and ends them when the relay has the key; the relay waits for a datagram under it.
   */
  addKey(number: number, aead: Aead, secret: Uint8Array): void {
    const keys = { number, aead, ...packetKeys(aead, secret, firstKeyNumber) };
    this.forget(number);
    this.#keys.set(number, keys);
    if (this.#side === 'box') this.#sealing = keys;
    this.#dirty = true;
  }

  forget(number: number): void {
    const keys = this.#keys.get(number);
    if (!keys) return;
    keys.aead.eraseKey(keys.up);
    keys.aead.eraseKey(keys.down);
    this.#keys.delete(number);
    if (this.#sealing === keys) this.#sealing = undefined;
  }

  /** The numbers of all keys, the oldest first. */
  get numbers(): number[] {
    return [...this.#keys.keys()];
  }

  /** A path's datagrams leave by this socket for the other end. */
  setWay(path: number, fd: number, to: Readonly<Endpoint>): void {
    let way = this.#ways.get(path);
    if (!way) {
      way = { fd, to: endpoint(), single: false };
      this.#ways.set(path, way);
    }
    if (way.fd !== fd) way.single = false;
    way.fd = fd;
    copyEndpoint(to, way.to);
    this.#dirty = true;
  }

  /** Nothing leaves by a path any more. */
  closeWay(path: number): void {
    this.#ways.delete(path);
    this.#reachable.delete(path);
  }

  /** Datagrams get through on one path at least. */
  get carries(): boolean {
    return this.lane.carries(this.#loop.nowMs);
  }

  /** An IP packet of this side's hosts, for the other's. */
  handleLocal(bytes: Uint8Array, start: number, end: number): void {
    this.lane.handleLocal(bytes, start, end, this.#loop.nowMs);
    this.#dirty = true;
  }

  /**
   * Takes a datagram, whose header was read, of so many bytes from `start` on; it is opened in place. It came to socket `fd`. Returns whether it was
   * authentic and new.
   */
  receive(
    header: Readonly<DatagramHeader>,
    slab: Slab,
    start: number,
    length: number,
    fd: number,
    from: Readonly<Endpoint>,
  ): boolean {
    const { path, number, session } = header;
    const keys = this.#keys.get(session);
    const textAt = start + datagramHeaderBytes;
    const textBytes = length - datagramHeaderBytes - tagBytes;
    const known = keys !== undefined && header.key === firstKeyNumber && this.lane.fresh(path, number);
    const counter = sealCounterOf(path, number);
    if (!known || !keys.aead.open(this.#opening(keys), counter, slab, start, datagramHeaderBytes, textAt, textBytes)) {
      this.counters.forged++;
      return false;
    }
    if (this.#side === 'relay') this.#confirm(keys);
    if (!this.#paths.has(path)) {
      this.counters.strayed++;
      return true;
    }
    const highest = this.lane.handleDatagram(path, number, slab, textAt, textAt + textBytes, this.#loop.nowMs);
    // The peer is where its newest datagram came from: a NAT forgets, a phone moves.
    if (highest) this.setWay(path, fd, from);
    this.#dirty = true;
    return true;
  }

  /** Takes a body that came in a strand of a path. */
  receiveInStrand(path: number, slab: Slab, start: number, length: number): void {
    this.lane.handleInStrand(path, slab, start, start + length, this.#loop.nowMs);
    this.#dirty = true;
  }

  /** A session's status, with what its packet lane does. */
  completed(status: SessionStatus): SessionStatus {
    const paths = status.paths.map((one) => {
      const path = this.#ways.has(one.path) ? this.#paths.get(one.path) : undefined;
      return path ? { ...one, packets: reportPath(path, this.#loop.nowMs) } : one;
    });
    return { ...status, paths, packets: reportLane(this.lane), counters: { ...status.counters, ...this.figures } };
  }

  /** What happened so far, by names for the status. */
  get figures(): Readonly<Record<string, number>> {
    const { queue, order, copies, malformed, split, unfinished } = this.lane;
    return {
      datagramsForged: this.counters.forged,
      datagramsStrayed: this.counters.strayed,
      datagramsUnsent: this.counters.unsent,
      datagramsMalformed: malformed,
      packetsDropped: queue.dropped,
      packetsCrowdedOut: queue.crowdedOut,
      packetsRefused: queue.refused,
      packetsCopied: copies,
      packetsSplit: split,
      packetsUnfinished: unfinished,
      packetsDoubled: order.copies,
      packetsLate: order.late,
      packetsGivenUp: order.givenUp,
    };
  }

  /** Ends it; sockets stay the caller's. */
  end(): void {
    this.#timer.cancel();
    for (const number of this.numbers) this.forget(number);
    this.#ways.clear();
    this.#reachable.clear();
  }

  /** Called after every turn of the loop: sends what there is to send. */
  afterBatch(): void {
    const keys = this.#sealing;
    if (!this.#dirty || !keys) return;
    this.#dirty = false;
    this.#survey();
    const { nowMs } = this.#loop;
    for (;;) {
      const next = this.lane.poll(trains.landing, trains.landingAt + datagramHeaderBytes, nowMs);
      if (!next) break;
      if (next.strand) this.#sendInStrand(next.strand, this.#record(next.length), next.length);
      else this.#add(keys, next.path, next.number, next.length);
    }
    this.counters.unsent += trains.flush();
    this.#timer.at(this.lane.nextMs(nowMs));
  }

  /** The box has this key, and so everything that is newer than what seals now may seal. */
  #confirm(keys: NumberedKeys): void {
    if (keys === this.#sealing) return;
    const numbers = this.numbers;
    const before = this.#sealing ? numbers.indexOf(this.#sealing.number) : -1;
    if (numbers.indexOf(keys.number) > before) this.#sealing = keys;
  }

  #survey(): void {
    for (const [id, path] of this.#paths) {
      if ((this.#ways.has(id) && this.#stands(path)) || path.datagramStrand) this.#reachable.set(id, path);
      else this.#reachable.delete(id);
    }
  }

  #onTime(): void {
    this.lane.tick(this.#loop.nowMs);
    this.#dirty = true;
  }

  #opening(keys: NumberedKeys): PacketKeys['up'] {
    return this.#side === 'box' ? keys.down : keys.up;
  }

  /** What was polled, from where a record begins. */
  #record(length: number): Slab {
    const at = trains.landingAt + datagramHeaderBytes;
    out.bytes.set(trains.landing.bytes.subarray(at, at + length), datagramHeaderBytes);
    return outRecord;
  }

  #add(keys: NumberedKeys, path: number, number: number, length: number): void {
    const way = this.#ways.get(path);
    if (!way) return;
    const start = trains.add(way, datagramHeaderBytes + length + tagBytes, datagramHeaderBytes, length);
    const slab = trains.landing;
    this.#header.session = keys.number;
    this.#header.path = path;
    this.#header.number = number;
    writeDatagramHeader(slab.bytes, start, this.#header);
    const key = this.#side === 'box' ? keys.up : keys.down;
    const counter = sealCounterOf(path, number);
    keys.aead.seal(key, counter, slab, start, datagramHeaderBytes, start + datagramHeaderBytes, length);
  }
}

function partOf(slab: Slab, start: number): Slab {
  return { bytes: slab.bytes.subarray(start), address: slab.address + start };
}
