import type { Taker } from '../scheduling/round-robin.ts';
import { Codel } from './codel.ts';
import type { PacketClass } from './datagram.ts';
import { FlowClass } from './flow-class.ts';
import type { InnerPacket } from './inner-packet.ts';
import type { PacketSlots } from './packet-slots.ts';

/** A standing queue is judged over so long, ms (RFC 8289). */
const intervalMs = 100;

/** One flow of a LAN's packets: what waits of it, what kind it is, and which line it is on. */
export class Flow implements Taker {
  readonly hash: number;
  readonly kind: FlowClass;
  readonly codel: Codel = new Codel(intervalMs);
  leftBytes = 0;
  /** It stands among those of this class that have something to send. */
  waits: PacketClass | undefined;
  /** The line its packets took last; 0: none yet. */
  line = 0;
  /** The line it is at home on: others only help; 0: none yet. */
  home = 0;
  /** When it went to another one, ms. */
  changedMs: number = -Infinity;
  usedMs: number;
  #head = -1;
  #tail = -1;
  #count = 0;
  #bytes = 0;

  constructor(first: Readonly<InnerPacket>, nowMs: number) {
    this.hash = first.hash;
    this.kind = new FlowClass(first);
    this.usedMs = nowMs;
  }

  /** The place of the packet that waits longest; -1: none waits. */
  get head(): number {
    return this.#head;
  }

  get count(): number {
    return this.#count;
  }

  /** What waits, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  push(slots: PacketSlots, slot: number): void {
    if (this.#tail < 0) this.#head = slot;
    else slots.link(this.#tail, slot);
    this.#tail = slot;
    this.#count++;
    this.#bytes += slots.lengthOf(slot);
  }

  /** Takes the head out; its place is the caller's to give back. Returns -1 where none waits. */
  shift(slots: PacketSlots): number {
    const slot = this.#head;
    if (slot < 0) return slot;
    this.#head = slots.nextOf(slot);
    if (this.#head < 0) this.#tail = -1;
    slots.link(slot, -1);
    this.#count--;
    this.#bytes -= slots.lengthOf(slot);
    return slot;
  }
}
