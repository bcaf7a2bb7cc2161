/** One end of a packet lane in a simulated world: what drives it does as the engine does, with virtual time and no keys. */
import { defaultPacketPolicy, PacketLane, PacketSlots, Path } from '@tresse/core';
import type { Slab } from '@tresse/kit';

import type { Link } from './link.ts';
import { readPattern } from './packet-pattern.ts';

export const slotCount = 8_192;
const noise = 0x5bd1e995;

export const slabOf = (size: number): Slab => ({ bytes: new Uint8Array(size), address: 0 });

/** An inner packet that came, by what its maker wrote into it. */
export interface Arrival {
  readonly flow: number;
  readonly number: number;
  readonly sentMs: number;
  readonly atMs: number;
}

/** A sealed datagram on its way: `from` and `to` name outer addresses of the box, which a NAT may change. */
export interface Sealed {
  readonly number: number;
  readonly body: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** One direction of a line, and what is on it by its place there. */
export interface Way {
  readonly link: Link;
  readonly content: Map<number, Sealed>;
  /** Share of datagrams that come twice. */
  doubled: number;
}

export class PacketEnd {
  readonly lane: PacketLane;
  readonly slots: PacketSlots = new PacketSlots(slotCount, slabOf);
  /** All, by number. */
  readonly paths: Map<number, Path> = new Map();
  /** Those whose other end has an address. */
  readonly reachable: Map<number, Path> = new Map();
  readonly ways: Map<number, Way> = new Map();
  readonly arrivals: Arrival[] = [];
  /** Where the other end is, by path. */
  readonly addresses: Map<number, number> = new Map();
  /** What must not be, and was. */
  readonly wrongs: string[] = [];
  timerMs: number = Infinity;
  /** Its clock is ahead of the world's by this, ms. */
  aheadMs = 0;
  /** It does nothing until then, by the world's clock, ms. */
  frozenUntilMs = 0;
  /** What came meanwhile. */
  readonly unread: (() => void)[] = [];
  readonly #seen: Map<number, Set<number>> = new Map();
  /** When the datagram that is handled now came, and when packets that are held did, by flow and number, ms. */
  readonly #cameMs: Map<number, number> = new Map();
  heldMsMax = 0;

  constructor(seed: number, ways: readonly Link[], nowMs: () => number) {
    for (const [i, link] of ways.entries()) {
      this.paths.set(i + 1, new Path(i + 1));
      this.ways.set(i + 1, { link, content: new Map(), doubled: 0 });
    }
    this.lane = new PacketLane({
      paths: this.reachable,
      slots: this.slots,
      policy: defaultPacketPolicy,
      deliver: ({ bytes }, start, length) => this.#deliver(bytes, start, length, nowMs()),
      seed: seed ^ noise,
    });
  }

  /** A whole packet in a datagram has come: from now on the lane holds it, or delivers it. */
  notes(bytes: Uint8Array, start: number, length: number, nowMs: number): void {
    const packet = readPattern(bytes, start, length);
    if (packet) this.#cameMs.set(keyOf(packet), nowMs);
  }

  #deliver(bytes: Uint8Array, start: number, length: number, nowMs: number): void {
    const packet = readPattern(bytes, start, length);
    if (!packet) {
      this.wrongs.push(`a packet of ${length} bytes is not as it was sent`);
      return;
    }
    const { flow, number, sentMs } = packet;
    let seen = this.#seen.get(flow);
    if (!seen) {
      seen = new Set();
      this.#seen.set(flow, seen);
    }
    if (seen.has(number)) this.wrongs.push(`packet ${number} of flow ${flow} came twice`);
    seen.add(number);
    const key = keyOf(packet);
    const cameMs = this.#cameMs.get(key);
    if (cameMs !== undefined) this.heldMsMax = Math.max(this.heldMsMax, nowMs - cameMs);
    this.#cameMs.delete(key);
    this.arrivals.push({ flow, number, sentMs, atMs: nowMs });
  }
}

const keyOf = ({ flow, number }: { flow: number; number: number }): number => flow * 2 ** 32 + number;
