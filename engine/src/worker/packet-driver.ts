/** Drives a session's packet lane: IP packets of a TUN device on one side, sealed datagrams on every path's socket on the other. */
import {
  type DatagramHeader,
  datagramHeaderBytes,
  EarliestArrival,
  limits,
  PacketLane,
  PacketSlots,
  type Path,
  sealCounterOf,
  type Side,
  writeDatagramHeader,
} from '@tresse/core';
import type { Slab } from '@tresse/kit';
import {
  type Aead,
  type AeadKey,
  type EventLoop,
  nativeSlab,
  randomBytes,
  READABLE,
  readInto,
  sendTo,
  type Timer,
  writeFrom,
} from '@tresse/sys';

import type { PacketKeys } from './packet-keys.ts';

/** Packets that may wait, of all flows of a session: 8 MB. */
const slotCount = 4_096;
/** Reads of the TUN device per turn: others have theirs too. */
const readsMax = 64;
const { tagBytes } = limits;
/** A socket's address, encoded. */
const addressBytes = 28;

/** One out buffer serves all: a datagram is sealed and sent at once. */
const out: Slab = nativeSlab(4_096);
const packet: Slab = nativeSlab(4_096);

/** Where a path's datagrams leave, and where they go. */
interface Way {
  readonly fd: number;
  readonly to: Slab;
  toBytes: number;
}

export interface PacketCounters {
  /** Datagrams that were not authentic, under no key of ours, or seen before. */
  forged: number;
  /** The kernel took one not, or the packet's way in was full. */
  unsent: number;
  undelivered: number;
}

export class PacketDriver {
  readonly lane: PacketLane;
  readonly counters: PacketCounters = { forged: 0, unsent: 0, undelivered: 0 };
  readonly #side: Side;
  readonly #loop: EventLoop;
  readonly #aead: Aead;
  readonly #session: number;
  readonly #tunFd: number;
  readonly #ways: Map<number, Way> = new Map();
  readonly #paths: ReadonlyMap<number, Path>;
  /** Paths whose other end has an address: something can be sent there. */
  readonly #reachable: Map<number, Path> = new Map();
  /** By key number: what opens. */
  readonly #openKeys: Map<number, AeadKey> = new Map();
  readonly #header: DatagramHeader;
  #sealKey: AeadKey | undefined;
  readonly #timer: Timer;
  #dirty = true;

  /** `session` names it in every datagram; the descriptor of the TUN device stays the caller's. */
  constructor(
    side: Side,
    loop: EventLoop,
    aead: Aead,
    session: number,
    tunFd: number,
    paths: ReadonlyMap<number, Path>,
  ) {
    this.#side = side;
    this.#loop = loop;
    this.#aead = aead;
    this.#session = session;
    this.#tunFd = tunFd;
    this.#paths = paths;
    this.#header = { path: 0, key: 0, session, number: 0 };
    this.lane = new PacketLane({
      paths: this.#reachable,
      slots: new PacketSlots(slotCount, nativeSlab),
      scheduler: new EarliestArrival(),
      deliver: (slab, start, length) => this.#deliver(slab, start, length),
      seed: new DataView(randomBytes(4).buffer).getUint32(0),
    });
    this.#timer = loop.timer(() => this.#onTime());
    loop.add(tunFd, READABLE, () => this.#readTun());
    loop.afterBatch(() => this.#afterBatch());
  }

  /** From now on what leaves is sealed under this key; what comes may be under any that was set and not {@link forget | forgotten}. */
  setKeys(number: number, keys: PacketKeys): void {
    const up = this.#side === 'box';
    this.#header.key = number;
    this.#sealKey = up ? keys.up : keys.down;
    this.#openKeys.set(number, up ? keys.down : keys.up);
    this.#dirty = true;
  }

  forget(number: number): void {
    const key = this.#openKeys.get(number);
    if (key) this.#aead.eraseKey(key);
    this.#openKeys.delete(number);
  }

  /** A path's datagrams leave by this socket, for the encoded address at `to`; an address that is not known yet comes with the first datagram. */
  setWay(path: number, fd: number, to?: Uint8Array): void {
    const way: Way = { fd, to: nativeSlab(addressBytes), toBytes: 0 };
    this.#ways.set(path, way);
    if (to) this.#follow(path, to);
    this.#dirty = true;
  }

  /**
   * Takes a datagram of this session, whose header was read, of so many bytes at the beginning of `slab`; it is opened in place. `from`
   * is where it came from. Returns whether it was authentic and new.
   */
  receive(header: Readonly<DatagramHeader>, slab: Slab, length: number, from: Uint8Array): boolean {
    const { path, key, number } = header;
    const openKey = this.#openKeys.get(key);
    const textBytes = length - datagramHeaderBytes - tagBytes;
    const ours = header.session === this.#session && this.#ways.has(path);
    const known = ours && openKey !== undefined && this.lane.fresh(path, number);
    const counter = sealCounterOf(path, number);
    if (!known || !this.#aead.open(openKey, counter, slab, 0, datagramHeaderBytes, datagramHeaderBytes, textBytes)) {
      this.counters.forged++;
      return false;
    }
    const end = datagramHeaderBytes + textBytes;
    const highest = this.lane.handleDatagram(path, number, slab, datagramHeaderBytes, end, this.#loop.nowMs);
    if (highest) this.#follow(path, from);
    this.#dirty = true;
    return true;
  }

  /** Ends it; descriptors stay the caller's. */
  end(): void {
    this.#timer.cancel();
    this.#loop.remove(this.#tunFd);
    for (const number of this.#openKeys.keys()) this.forget(number);
    if (this.#sealKey) this.#aead.eraseKey(this.#sealKey);
    this.#sealKey = undefined;
    this.#ways.clear();
  }

  /** The peer is where its newest authentic datagram came from (a NAT forgets, a phone moves). */
  #follow(path: number, from: Uint8Array): void {
    const way = this.#ways.get(path);
    if (!way || from.length > addressBytes) return;
    way.to.bytes.set(from);
    way.toBytes = from.length;
    const known = this.#paths.get(path);
    if (known) this.#reachable.set(path, known);
  }

  #readTun(): void {
    for (let i = 0; i < readsMax; i++) {
      const count = readInto(this.#tunFd, packet.address, packet.bytes.length);
      if (count <= 0) break;
      this.lane.handleLocal(packet.bytes, 0, count, this.#loop.nowMs);
    }
    this.#dirty = true;
  }

  #deliver(slab: Slab, start: number, length: number): void {
    if (writeFrom(this.#tunFd, slab.address + start, length) < 0) this.counters.undelivered++;
  }

  #onTime(): void {
    this.lane.tick(this.#loop.nowMs);
    this.#dirty = true;
  }

  #afterBatch(): void {
    if (!this.#dirty || !this.#sealKey) return;
    this.#dirty = false;
    const { nowMs } = this.#loop;
    const at = datagramHeaderBytes;
    for (let next = this.lane.poll(out, at, nowMs); next; next = this.lane.poll(out, at, nowMs)) {
      this.#send(this.#sealKey, next.path, next.number, next.length);
    }
    this.#timer.at(this.lane.nextMs(nowMs));
  }

  #send(key: AeadKey, path: number, number: number, length: number): void {
    const way = this.#ways.get(path);
    if (!way) return;
    this.#header.path = path;
    this.#header.number = number;
    writeDatagramHeader(out.bytes, 0, this.#header);
    const counter = sealCounterOf(path, number);
    this.#aead.seal(key, counter, out, 0, datagramHeaderBytes, datagramHeaderBytes, length);
    const bytes = datagramHeaderBytes + length + tagBytes;
    if (sendTo(way.fd, out.address, bytes, way.to.address, way.toBytes) < 0) this.counters.unsent++;
  }
}
