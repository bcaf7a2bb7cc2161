import { assert, type Slab } from '@tresse/kit';

/** Room of one packet, bytes: an inner packet of 1,500 and what stands before and behind it. */
const slotBytes = 2_048;

/**
 * Memory for packets that wait: one slab, cut into equal places and made once, so that nothing is allocated while they come
 * and go. A place has a number, and links to the next one of whatever queue it stands in.
 */
export class PacketSlots {
  readonly slab: Slab;
  readonly count: number;
  readonly #next: Int32Array;
  readonly #lengths: Uint16Array;
  readonly #times: Float64Array;
  #free = 0;
  #used = 0;

  /** Takes how many there are, and what makes memory. */
  constructor(count: number, make: (size: number) => Slab) {
    assert(count > 0, 'a pool holds something');
    this.count = count;
    this.slab = make(count * slotBytes);
    this.#next = Int32Array.from({ length: count }, (_, i) => (i === count - 1 ? -1 : i + 1));
    this.#lengths = new Uint16Array(count);
    this.#times = new Float64Array(count);
  }

  /** Packets that wait. */
  get used(): number {
    return this.#used;
  }

  /** Copies a packet in, with the time it came, ms. Returns its place, or -1 where there is none left or it is too long. */
  store(from: Uint8Array, start: number, length: number, nowMs: number): number {
    const slot = this.reserve(length, nowMs);
    if (slot >= 0) this.slab.bytes.set(from.subarray(start, start + length), slot * slotBytes);
    return slot;
  }

  /** Like {@link store}, of a packet whose bytes come later: until then others' stand there. */
  reserve(length: number, nowMs: number): number {
    const slot = this.#free;
    if (slot < 0 || length > slotBytes) return -1;
    this.#free = this.#next[slot] ?? -1;
    this.#used++;
    this.#lengths[slot] = length;
    this.#times[slot] = nowMs;
    this.#next[slot] = -1;
    return slot;
  }

  give(slot: number): void {
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.#used--;
  }

  startOf(slot: number): number {
    return slot * slotBytes;
  }

  lengthOf(slot: number): number {
    return this.#lengths[slot] ?? 0;
  }

  /** When it came, ms. */
  timeOf(slot: number): number {
    return this.#times[slot] ?? 0;
  }

  /** The one behind it in its queue; -1: none. */
  nextOf(slot: number): number {
    return this.#next[slot] ?? -1;
  }

  link(slot: number, next: number): void {
    this.#next[slot] = next;
  }
}
