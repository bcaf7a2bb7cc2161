/** Pieces of packets that came over one path, until each packet is whole. */
import type { PacketPrefix } from './datagram.ts';
import type { PacketSlots } from './packet-slots.ts';
import { type PiecePlace, pieceStart, piecePrefixBytes } from './piece.ts';

/** So many packets may lack a piece at once; the oldest gives way. */
const unfinishedMax = 128;
/** One that lacks a piece for so long has lost it, ms: they left one behind the other. */
const lostMs = 300;
const u32 = 0x1_0000_0000;

interface Unfinished {
  readonly slot: number;
  readonly pieces: number;
  /** Which came, as bits. */
  came: number;
}

export class PieceStore {
  readonly #slots: PacketSlots;
  /** By bucket and sequence, the oldest first. */
  readonly #unfinished: Map<number, Unfinished> = new Map();
  /** Packets given up for want of a piece. */
  lost = 0;

  constructor(slots: PacketSlots) {
    this.#slots = slots;
  }

  /** Packets that lack a piece. */
  get unfinished(): number {
    return this.#unfinished.size;
  }

  /** Takes a piece, whose place was read and whose body is at `start`. Returns the place in the slots of its packet if that is whole now, which is the caller's then; else -1. */
  take(
    prefix: Readonly<PacketPrefix>,
    place: Readonly<PiecePlace>,
    bytes: Uint8Array,
    start: number,
    nowMs: number,
  ): number {
    const key = prefix.bucket * u32 + prefix.sequence;
    const packet = this.#unfinished.get(key) ?? this.#begin(key, place, nowMs);
    const bit = 1 << place.index;
    if (!packet || packet.pieces !== place.pieces || this.#slots.lengthOf(packet.slot) !== place.length) return -1;
    if ((packet.came & bit) !== 0) return -1;
    const from = pieceStart(place.length, place.index, place.pieces);
    const length = pieceStart(place.length, place.index + 1, place.pieces) - from;
    const body = start + piecePrefixBytes;
    this.#slots.slab.bytes.set(bytes.subarray(body, body + length), this.#slots.startOf(packet.slot) + from);
    packet.came |= bit;
    if (packet.came !== (1 << packet.pieces) - 1) return -1;
    this.#unfinished.delete(key);
    return packet.slot;
  }

  /** When {@link tick} is due, ms. */
  get nextMs(): number {
    for (const { slot } of this.#unfinished.values()) return this.#slots.timeOf(slot) + lostMs;
    return Infinity;
  }

  /** Gives up what has waited too long. */
  tick(nowMs: number): void {
    while (this.nextMs <= nowMs) this.#giveUp();
  }

  #begin(key: number, place: Readonly<PiecePlace>, nowMs: number): Unfinished | undefined {
    if (this.#unfinished.size >= unfinishedMax) this.#giveUp();
    const slot = this.#slots.reserve(place.length, nowMs);
    if (slot < 0) return undefined;
    const packet = { slot, pieces: place.pieces, came: 0 };
    this.#unfinished.set(key, packet);
    return packet;
  }

  #giveUp(): void {
    for (const [key, { slot }] of this.#unfinished) {
      this.#slots.give(slot);
      this.#unfinished.delete(key);
      this.lost++;
      return;
    }
  }
}
