/** Two ends of a packet lane over simulated lines, in virtual time: packets of any flow either way, and what became of them. */
import { datagramOverheadBytes } from '@tresse/core';
import { BugError, Prng, type Slab } from '@tresse/kit';

import { Clock } from './clock.ts';
import type { DirectionSpec } from './link-spec.ts';
import { Link } from './link.ts';
import { PacketEnd, type Sealed, slabOf, type Way } from './packet-end.ts';
import { writePattern } from './packet-pattern.ts';

/** IP and UDP headers, bytes. */
const headerBytes = 28;
const prefixBytes = 7;
/** Header and tag of a datagram; the prefix is part of the body. */
const sealBytes: number = datagramOverheadBytes - prefixBytes;
/** What an eavesdropper keeps, for sending it again. */
const keptMax = 512;
/** Datagrams a socket keeps while its program does nothing. */
const unreadMax = 300;
/** A second copy comes so much later at most, ms. */
const copyMsMax = 50;

/** A timer is never early, and a sum of times not exact, ms. */
const timerMs = 0.000_1;

export type PacketSide = 'box' | 'relay';

export interface PacketLineSpec {
  readonly down: DirectionSpec;
  readonly up: DirectionSpec;
}

interface Kept {
  readonly side: PacketSide;
  readonly path: number;
  readonly sealed: Sealed;
}

export class PacketWorld {
  readonly clock: Clock = new Clock();
  readonly box: PacketEnd;
  readonly relay: PacketEnd;
  readonly #prng: Prng;
  readonly #out: Slab = slabOf(4_096);
  readonly #packet: Uint8Array = new Uint8Array(2_048);
  /** The box's outer address on each path: a NAT changes it. */
  readonly #outer: number[];
  readonly #kept: Kept[] = [];
  #arrived = 0;

  constructor(seed: number, lines: readonly PacketLineSpec[]) {
    const prng = new Prng(seed);
    const now = (): number => this.clock.nowMs;
    const ends = (['up', 'down'] as const).map((direction) => {
      const own = prng.u32();
      return new PacketEnd(
        own,
        lines.map((line) => new Link(line[direction], new Prng(prng.u32()))),
        now,
      );
    });
    const [box, relay] = ends;
    if (!box || !relay) throw new BugError('SIMULATION', 'a world has two ends');
    this.box = box;
    this.relay = relay;
    this.#prng = prng;
    this.#outer = lines.map(() => 1);
    // The relay knows no address before a datagram has come from it.
    for (const [id, path] of box.paths) box.reachable.set(id, path);
    this.clock.at(0, () => this.#pump('box'));
  }

  /** All that must not be, and was. */
  get wrongs(): string[] {
    return [...this.box.wrongs, ...this.relay.wrongs];
  }

  /** The line's direction from that side. */
  link(side: PacketSide, path: number): Link {
    return this.#way(side, path).link;
  }

  /** From now on so many of the datagrams from that side come twice. */
  double(side: PacketSide, path: number, ratio: number): void {
    this.#way(side, path).doubled = ratio;
  }

  /** The box's outer address on a path changes: what is sent to the one before finds nobody. */
  rebind(path: number): void {
    this.#outer[path - 1] = this.#outerOf(path) + 1;
  }

  /** A side's clock leaps forward: its machine has slept. */
  leap(side: PacketSide, ms: number): void {
    this[side].aheadMs += ms;
    this[side].timerMs = Infinity;
    this.#wake(side);
  }

  /** A side does nothing for a while; what comes waits in its sockets, as far as there is room. */
  freeze(side: PacketSide, ms: number): void {
    const end = this[side];
    end.frozenUntilMs = Math.max(end.frozenUntilMs, this.clock.nowMs + ms);
    this.clock.at(end.frozenUntilMs, () => {
      if (this.clock.nowMs < end.frozenUntilMs) return;
      for (const read of end.unread.splice(0)) read();
      this.#wake(side);
    });
  }

  /** Somebody sends a datagram again that has come before, from an address of his own, and one that nobody has sealed. */
  attack(): void {
    const kept = this.#kept[this.#prng.int(0, this.#kept.length - 1)];
    if (!kept) return;
    const { side, path, sealed } = kept;
    const { lane } = this[side];
    if (lane.fresh(path, sealed.number)) {
      this[side].wrongs.push(`datagram ${sealed.number} of path ${path} would be taken twice`);
    }
    // Only what is fresh is opened, and only what was sealed is opened well: asking must leave no trace.
    lane.fresh(path, this.#prng.u32());
  }

  /** A LAN host or a server gives a packet of so many bytes of a flow to a side, now. */
  give(side: PacketSide, flow: number, number: number, bytes: number): void {
    const { nowMs } = this.clock;
    if (nowMs < this[side].frozenUntilMs) return;
    writePattern(this.#packet, flow, number, bytes, side === 'box', nowMs);
    this[side].lane.handleLocal(this.#packet, 0, bytes, this.#nowOf(side));
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

  #nowOf(side: PacketSide): number {
    return this.clock.nowMs + this[side].aheadMs;
  }

  #outerOf(path: number): number {
    return this.#outer[path - 1] ?? 0;
  }

  #way(side: PacketSide, path: number): Way {
    const way = this[side].ways.get(path);
    if (!way) throw new BugError('SIMULATION', `there is no line ${path}`);
    return way;
  }

  #pump(side: PacketSide): void {
    const end = this[side];
    const nowMs = this.#nowOf(side);
    for (let next = end.lane.poll(this.#out, 0, nowMs); next; next = end.lane.poll(this.#out, 0, nowMs)) {
      const { path, number, length } = next;
      const { link, content } = this.#way(side, path);
      const idleMs = link.nextAtMs;
      const place = link.offer(headerBytes + sealBytes + length, this.clock.nowMs);
      if (place < 0) continue;
      const to = side === 'relay' ? (end.addresses.get(path) ?? 0) : 0;
      content.set(place, { number, body: this.#out.bytes.slice(0, length), from: this.#outerOf(path), to });
      if (idleMs === Infinity) this.#expect(side, path);
    }
    this.#arm(side);
  }

  #expect(side: PacketSide, path: number): void {
    const { link } = this.#way(side, path);
    const atMs = link.nextAtMs;
    if (atMs === Infinity) return;
    this.clock.at(atMs, () => {
      for (let place = link.poll(this.clock.nowMs); place >= 0; place = link.poll(this.clock.nowMs)) {
        this.#come(side, path, place);
      }
      this.#expect(side, path);
    });
  }

  /** What a side has sent has come through the line. */
  #come(from: PacketSide, path: number, place: number): void {
    const { content, doubled } = this.#way(from, path);
    const sealed = content.get(place);
    content.delete(place);
    // To an address that is no longer the box's.
    if (!sealed || (from === 'relay' && sealed.to !== this.#outerOf(path))) return;
    const side = from === 'box' ? 'relay' : 'box';
    this.#arrive(side, path, sealed);
    if (doubled > 0 && this.#prng.chance(doubled)) {
      const laterMs = this.clock.nowMs + this.#prng.float() * copyMsMax;
      this.clock.at(laterMs, () => this.#arrive(side, path, sealed));
    }
  }

  #arrive(side: PacketSide, path: number, sealed: Sealed): void {
    const end = this[side];
    if (this.clock.nowMs >= end.frozenUntilMs) this.#take(side, path, sealed);
    else if (end.unread.length < unreadMax) end.unread.push(() => this.#take(side, path, sealed));
  }

  #take(side: PacketSide, path: number, sealed: Sealed): void {
    const end = this[side];
    const { number, body, from } = sealed;
    if (!end.lane.fresh(path, number)) return;
    if (body[0] !== undefined && body[0] >> 4 === 0)
      end.notes(body, prefixBytes, body.length - prefixBytes, this.clock.nowMs);
    const nowMs = this.#nowOf(side);
    const highest = end.lane.handleDatagram(path, number, { bytes: body, address: 0 }, 0, body.length, nowMs);
    if (highest && side === 'relay') {
      end.addresses.set(path, from);
      const known = end.paths.get(path);
      if (known) end.reachable.set(path, known);
    }
    this.#kept[this.#arrived++ % keptMax] = { side, path, sealed };
    this.#pump(side);
  }

  #arm(side: PacketSide): void {
    const end = this[side];
    const dueMs = end.lane.nextMs(this.#nowOf(side)) - end.aheadMs + timerMs;
    if (dueMs === Infinity || dueMs >= end.timerMs) return;
    end.timerMs = dueMs;
    this.clock.at(dueMs, () => {
      if (end.timerMs === dueMs) this.#wake(side);
    });
  }

  #wake(side: PacketSide): void {
    const end = this[side];
    end.timerMs = Infinity;
    if (this.clock.nowMs < end.frozenUntilMs) return;
    end.lane.tick(this.#nowOf(side));
    this.#pump(side);
  }
}
