/**
 * What waits for a line, by class and flow: realtime first, then interactive, then bulk; flows of a class take turns by bytes,
 * and one whose packets stand too long loses some (FQ-CoDel, RFC 8290). So who fills the lines waits for himself.
 */
import { RoundRobin } from '../scheduling/round-robin.ts';
import { PacketClass } from './datagram.ts';
import { Flow } from './flow.ts';
import type { InnerPacket } from './inner-packet.ts';
import { readInnerPacket } from './inner-packet.ts';
import type { PacketSlots } from './packet-slots.ts';

/** Known flows; the ones used longest ago are forgotten first, once they have nothing that waits. */
const flowsMax = 8_192;
/** How long packets may stand, ms: of a call next to nothing, for what is late is of no use to it. */
const targetMs: Readonly<Record<PacketClass, number>> = { 0: 20, 1: 5, 2: 10 };
/** ... and above this they go at once: who does not listen to losses would fill all there is. */
const staleMs: Readonly<Record<PacketClass, number>> = { 0: 60, 1: 100, 2: 150 };
const classes: readonly PacketClass[] = [PacketClass.realtime, PacketClass.interactive, PacketClass.bulk];

export class FlowQueue {
  readonly #slots: PacketSlots;
  readonly #seed: number;
  readonly #flows: Map<number, Flow> = new Map();
  readonly #waiting: readonly RoundRobin<Flow>[] = classes.map(() => new RoundRobin<Flow>());
  readonly #bytes: Float64Array = new Float64Array(classes.length);
  readonly #packet: InnerPacket = { hash: 0, protocol: 0, from: 0, to: 0, dscp: 0, payload: 0 };
  /** The flow that gives room up to others, and what it had when it was found, bytes. */
  #largest: Flow | undefined;
  #largestBytes = 0;
  /** Dropped because they stood too long, and for want of room; refused as no IP packets. */
  dropped = 0;
  crowdedOut = 0;
  refused = 0;

  /** `seed`: of the hash of flows; nobody outside may know it. */
  constructor(slots: PacketSlots, seed: number) {
    this.#slots = slots;
    this.#seed = seed;
  }

  /** Of a class, waiting, bytes. */
  bytesOf(kind: PacketClass): number {
    return this.#bytes[kind] ?? 0;
  }

  get empty(): boolean {
    return classes.every((kind) => this.bytesOf(kind) === 0);
  }

  /** Flows known. */
  get flows(): number {
    return this.#flows.size;
  }

  /** Takes a packet of the LAN in. Returns false where it was no IP packet, or there was no room even for dropping others. */
  push(bytes: Uint8Array, start: number, end: number, nowMs: number): boolean {
    const packet = this.#packet;
    if (!readInnerPacket(bytes, start, end, this.#seed, packet)) {
      this.refused++;
      return false;
    }
    const flow = this.#flow(packet, nowMs);
    flow.kind.sent(packet, end - start, nowMs);
    let slot = this.#slots.store(bytes, start, end - start, nowMs);
    if (slot < 0 && this.#makeRoom()) slot = this.#slots.store(bytes, start, end - start, nowMs);
    if (slot < 0) {
      this.crowdedOut++;
      return false;
    }
    const kind = flow.kind.class;
    if (flow.waits !== undefined && flow.waits !== kind) this.#leave(flow, flow.waits);
    flow.push(this.#slots, slot);
    if (flow.waits === undefined) {
      this.#bytes[kind] = this.bytesOf(kind) + flow.bytes;
      this.#wait(flow, kind);
    } else this.#bytes[kind] = this.bytesOf(kind) + end - start;
    return true;
  }

  /** A packet came the other way: its flow, if it is known, is one with answers. */
  noteReceived(bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (!readInnerPacket(bytes, start, end, this.#seed, this.#packet)) return;
    this.#flow(this.#packet, nowMs).kind.received(end - start, nowMs);
  }

  /** The flow whose turn it is among those of a class, taken out; {@link settle} ends its turn. Its head has not stood too long; `apartMs` more are no fault of its. */
  next(kind: PacketClass, apartMs: number, nowMs: number): Flow | undefined {
    for (let flow = this.#waiting[kind]?.shift(); flow; flow = this.#waiting[kind]?.shift()) {
      if (this.#dropLate(flow, kind, apartMs, nowMs)) return flow;
      flow.waits = undefined;
    }
    return undefined;
  }

  /** Takes the head of a flow that {@link next} gave; its place is the caller's. */
  take(flow: Flow, kind: PacketClass): number {
    const slot = flow.shift(this.#slots);
    const length = this.#slots.lengthOf(slot);
    this.#bytes[kind] = this.bytesOf(kind) - length;
    flow.leftBytes -= length;
    return slot;
  }

  /** A flow's turn is over: it waits for the next one, where it has more. `served`: it has sent something. */
  settle(flow: Flow, kind: PacketClass, served: boolean): void {
    if (!served) this.#waiting[kind]?.pass();
    flow.waits = undefined;
    if (flow.head >= 0) this.#wait(flow, kind);
  }

  #wait(flow: Flow, kind: PacketClass): void {
    flow.waits = kind;
    this.#waiting[kind]?.push(flow);
  }

  /** It has become of another kind, with all that waits of it. */
  #leave(flow: Flow, kind: PacketClass): void {
    this.#waiting[kind]?.retain((other) => other !== flow);
    this.#bytes[kind] = this.bytesOf(kind) - flow.bytes;
    flow.waits = undefined;
  }

  /** Drops what has stood too long. Returns whether something is left. */
  #dropLate(flow: Flow, kind: PacketClass, apartMs: number, nowMs: number): boolean {
    while (flow.head >= 0) {
      const stoodMs = nowMs - this.#slots.timeOf(flow.head);
      const stale = stoodMs > staleMs[kind] + apartMs;
      if (!flow.codel.drops(stoodMs, targetMs[kind] + apartMs, flow.count === 1, nowMs) && !stale) return true;
      this.dropped++;
      this.#slots.give(this.take(flow, kind));
      flow.kind.stood();
    }
    return false;
  }

  /** Where there is no room the flow that has most of it gives some up, from its head: its receiver hears of it soonest. */
  #makeRoom(): boolean {
    // Who was found to have most serves until half of that is gone: to look at all flows for every packet of a flood costs more than the flood.
    if (!this.#largest || this.#largest.bytes * 2 < this.#largestBytes || this.#largest.head < 0) this.#findLargest();
    const largest = this.#largest;
    if (!largest || largest.waits === undefined || largest.head < 0) return false;
    this.crowdedOut++;
    this.#slots.give(this.take(largest, largest.waits));
    return true;
  }

  #findLargest(): void {
    this.#largest = undefined;
    this.#largestBytes = 0;
    if (this.empty) return;
    for (const flow of this.#flows.values()) {
      if (flow.bytes <= this.#largestBytes) continue;
      this.#largest = flow;
      this.#largestBytes = flow.bytes;
    }
  }

  #flow(packet: Readonly<InnerPacket>, nowMs: number): Flow {
    let flow = this.#flows.get(packet.hash);
    if (flow && nowMs - flow.usedMs < 1_000) return flow;
    if (flow) this.#flows.delete(packet.hash);
    else flow = new Flow(packet, nowMs);
    flow.usedMs = nowMs;
    this.#flows.set(packet.hash, flow);
    if (this.#flows.size > flowsMax) this.#forgetOne();
    return flow;
  }

  #forgetOne(): void {
    for (const [hash, flow] of this.#flows) {
      if (flow.waits !== undefined || flow.head >= 0) continue;
      this.#flows.delete(hash);
      return;
    }
  }
}
