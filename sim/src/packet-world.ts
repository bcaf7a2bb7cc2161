/** Two ends of a packet lane over simulated lines, in virtual time: packets of any flow either way, and what became of them. */
import { datagramOverheadBytes, defaultPacketPolicy, PacketLane, PacketSlots, Path } from '@tresse/core';
import { BugError, Prng, type Slab } from '@tresse/kit';

import { Clock } from './clock.ts';
import type { DirectionSpec } from './link-spec.ts';
import { Link } from './link.ts';

/** IP and UDP headers, bytes. */
const headerBytes = 28;
/** Header and tag of a datagram; the prefix is part of the body. */
const sealBytes: number = datagramOverheadBytes - 7;
const slotCount = 8_192;
const noise = 0x5bd1e995;

const slabOf = (size: number): Slab => ({ bytes: new Uint8Array(size), address: 0 });

export type PacketSide = 'box' | 'relay';

/** An inner packet that came, by what its maker wrote into it. */
export interface Arrival {
  readonly flow: number;
  readonly number: number;
  readonly sentMs: number;
  readonly atMs: number;
}

export interface PacketLineSpec {
  readonly down: DirectionSpec;
  readonly up: DirectionSpec;
}

/** One direction of a line, and what is on it by its place there. */
interface Way {
  readonly link: Link;
  readonly content: Map<number, { readonly number: number; readonly body: Uint8Array }>;
}

interface End {
  readonly lane: PacketLane;
  readonly slots: PacketSlots;
  readonly paths: Map<number, Path>;
  readonly arrivals: Arrival[];
  readonly links: Map<number, Way>;
  timerMs: number;
}

export class PacketWorld {
  readonly clock: Clock = new Clock();
  readonly box: End;
  readonly relay: End;
  readonly #out: Slab = slabOf(4_096);
  readonly #packet: Uint8Array = new Uint8Array(2_048);

  constructor(seed: number, lines: readonly PacketLineSpec[]) {
    const prng = new Prng(seed);
    this.box = this.#end(lines.length, prng.u32(), (i) => new Link(lineOf(lines, i).up, new Prng(prng.u32())));
    this.relay = this.#end(lines.length, prng.u32(), (i) => new Link(lineOf(lines, i).down, new Prng(prng.u32())));
    this.clock.at(0, () => {
      this.#pump('box');
      this.#pump('relay');
    });
  }

  /** The line's direction from that side. */
  link(side: PacketSide, path: number): Link {
    return this.#way(side, path).link;
  }

  /** A LAN host or a server gives a packet of so many bytes of a flow to a side, now. */
  give(side: PacketSide, flow: number, number: number, bytes: number): void {
    const packet = this.#packet;
    const view = new DataView(packet.buffer);
    packet.fill(0, 0, 48);
    packet[0] = 0x45;
    view.setUint16(2, bytes);
    packet[9] = 17;
    // The same two ends both ways.
    const up = side === 'box';
    view.setUint32(up ? 12 : 16, 0x0a00_0001);
    view.setUint32(up ? 16 : 12, 0xc633_6407);
    view.setUint16(up ? 20 : 22, 20_000 + flow);
    view.setUint16(up ? 22 : 20, 30_000);
    view.setUint32(28, flow);
    view.setUint32(32, number);
    view.setFloat64(36, this.clock.nowMs);
    this[side].lane.handleLocal(packet, 0, bytes, this.clock.nowMs);
    this.#pump(side);
  }

  /** A flow of equal packets, evenly spaced, from a time to a time, ms. */
  flow(side: PacketSide, flow: number, bytes: number, bps: number, fromMs: number, untilMs: number): void {
    const gapMs = (bytes * 8_000) / bps;
    let number = 0;
    const next = (): void => {
      this.give(side, flow, number++, bytes);
      if (this.clock.nowMs + gapMs < untilMs) this.clock.at(this.clock.nowMs + gapMs, next);
    };
    this.clock.at(fromMs, next);
  }

  #end(count: number, seed: number, linkOf: (path: number) => Link): End {
    const paths = new Map<number, Path>();
    const links: End['links'] = new Map();
    for (let i = 1; i <= count; i++) {
      paths.set(i, new Path(i));
      links.set(i, { link: linkOf(i), content: new Map() });
    }
    const arrivals: Arrival[] = [];
    const deliver = ({ bytes }: Slab, start: number): void => {
      const view = new DataView(bytes.buffer, start);
      const sentMs = view.getFloat64(36);
      arrivals.push({ flow: view.getUint32(28), number: view.getUint32(32), sentMs, atMs: this.clock.nowMs });
    };
    const slots = new PacketSlots(slotCount, slabOf);
    const lane = new PacketLane({ paths, slots, policy: defaultPacketPolicy, deliver, seed: seed ^ noise });
    return { lane, slots, paths, arrivals, links, timerMs: Infinity };
  }

  #way(side: PacketSide, path: number): Way {
    const way = this[side].links.get(path);
    if (!way) throw new BugError('SIMULATION', `there is no line ${path}`);
    return way;
  }

  #pump(side: PacketSide): void {
    const end = this[side];
    const nowMs = this.clock.nowMs;
    for (let next = end.lane.poll(this.#out, 0, nowMs); next; next = end.lane.poll(this.#out, 0, nowMs)) {
      const { link, content } = this.#way(side, next.path);
      const idleMs = link.nextAtMs;
      const place = link.offer(headerBytes + sealBytes + next.length, nowMs);
      if (place < 0) continue;
      content.set(place, { number: next.number, body: this.#out.bytes.slice(0, next.length) });
      if (idleMs === Infinity) this.#expect(side, next.path);
    }
    this.#arm(side);
  }

  #expect(side: PacketSide, path: number): void {
    const { link, content } = this.#way(side, path);
    const atMs = link.nextAtMs;
    if (atMs === Infinity) return;
    this.clock.at(atMs, () => {
      for (let place = link.poll(this.clock.nowMs); place >= 0; place = link.poll(this.clock.nowMs)) {
        const datagram = content.get(place);
        content.delete(place);
        if (datagram) this.#arrive(side === 'box' ? 'relay' : 'box', path, datagram.number, datagram.body);
      }
      this.#expect(side, path);
    });
  }

  #arrive(side: PacketSide, path: number, number: number, body: Uint8Array): void {
    const { lane } = this[side];
    if (lane.fresh(path, number))
      lane.handleDatagram(path, number, { bytes: body, address: 0 }, 0, body.length, this.clock.nowMs);
    this.#pump(side);
  }

  #arm(side: PacketSide): void {
    const end = this[side];
    const dueMs = end.lane.nextMs(this.clock.nowMs);
    if (dueMs === Infinity || dueMs >= end.timerMs) return;
    end.timerMs = dueMs;
    this.clock.at(dueMs, () => {
      if (end.timerMs !== dueMs) return;
      end.timerMs = Infinity;
      end.lane.tick(this.clock.nowMs);
      this.#pump(side);
    });
  }
}

function lineOf(lines: readonly PacketLineSpec[], path: number): PacketLineSpec {
  const line = lines[path - 1];
  if (!line) throw new BugError('SIMULATION', `there is no line ${path}`);
  return line;
}
