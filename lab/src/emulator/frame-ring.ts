import type { Slab } from '@tresse/kit';

/** Room kept for one frame: an Ethernet header, a VLAN tag, 1,500 bytes and some. */
export const frameBytesMax = 2_048;

/**
 * The content of the frames one direction holds: a ring of bytes in one slab, filled in order and emptied in order, each frame in one
 * piece. Frames have the numbers the link gave them. Reading a frame from the kernel goes straight into the ring: ask for `room`, read to
 * it, `keep` it under its number or leave it. Nothing is allocated per frame.
 */
export class FrameRing {
  readonly #make: (size: number) => Slab;
  #slab: Slab;
  /** Bytes ever passed; the offset in the slab is the remainder. */
  #head = 0;
  #tail = 0;
  #starts = new Float64Array(1_024);
  #lengths = new Int32Array(1_024);
  #oldest = 0;
  #next = 0;

  /** `make` gives memory; `bytes` is what the ring must hold at least. */
  constructor(bytes: number, make: (size: number) => Slab) {
    this.#make = make;
    this.#slab = make(capacityFor(bytes));
  }

  /** Size of the slab. */
  get capacityBytes(): number {
    return this.#slab.bytes.length;
  }

  /** Memory of the slab, for looking at frames; valid until the ring is enlarged. */
  get bytes(): Uint8Array {
    return this.#slab.bytes;
  }

  /** Address of {@link bytes}. */
  get address(): number {
    return this.#slab.address;
  }

  /** Address where a frame of up to `frameBytesMax` bytes may be put, the same until one is kept. A full ring doubles. */
  room(): number {
    const capacity = this.#slab.bytes.length;
    const offset = this.#head % capacity;
    // The rest at the end is too short for a frame: go round.
    if (capacity - offset < frameBytesMax) this.#head += capacity - offset;
    if (this.#head + frameBytesMax - this.#tail > capacity) {
      this.enlarge(capacity * 2);
      return this.room();
    }
    return this.#slab.address + (this.#head % capacity);
  }

  /** The frame of `length` bytes at `room` stays, as `number`: one above the number kept before. */
  keep(number: number, length: number): void {
    if (this.#oldest === this.#next) {
      this.#oldest = number;
      this.#tail = this.#head;
    }
    if (number - this.#oldest === this.#starts.length) this.#growTable();
    const place = number & (this.#starts.length - 1);
    this.#starts[place] = this.#head;
    this.#lengths[place] = length;
    this.#next = number + 1;
    this.#head += length;
  }

  /** Forgets every frame below `oldest`. */
  release(oldest: number): void {
    if (oldest <= this.#oldest) return;
    this.#oldest = Math.min(oldest, this.#next);
    this.#tail = this.#oldest === this.#next ? this.#head : this.#startOf(this.#oldest);
  }

  /** Where the frame of this number lies. */
  addressOf(number: number): number {
    return this.#slab.address + this.offsetOf(number);
  }

  /** Like {@link addressOf}, within {@link bytes}. */
  offsetOf(number: number): number {
    return this.#startOf(number) % this.#slab.bytes.length;
  }

  lengthOf(number: number): number {
    return this.#lengths[number & (this.#lengths.length - 1)] ?? 0;
  }

  /** Makes sure that `bytes` can be held; what is held stays. */
  enlarge(bytes: number): void {
    const capacity = capacityFor(bytes);
    if (capacity <= this.#slab.bytes.length) return;
    const old = this.#slab;
    this.#slab = this.#make(capacity);
    let head = 0;
    for (let number = this.#oldest; number < this.#next; number++) {
      if (capacity - (head % capacity) < frameBytesMax) head += capacity - (head % capacity);
      const from = this.#startOf(number) % old.bytes.length;
      const length = this.lengthOf(number);
      this.#slab.bytes.set(old.bytes.subarray(from, from + length), head % capacity);
      this.#starts[number & (this.#starts.length - 1)] = head;
      head += length;
    }
    this.#head = head;
    this.#tail = this.#oldest === this.#next ? head : this.#startOf(this.#oldest);
  }

  #startOf(number: number): number {
    return this.#starts[number & (this.#starts.length - 1)] ?? 0;
  }

  #growTable(): void {
    const size = this.#starts.length;
    const starts = new Float64Array(size * 2);
    const lengths = new Int32Array(size * 2);
    for (let number = this.#oldest; number < this.#next; number++) {
      starts[number & (size * 2 - 1)] = this.#startOf(number);
      lengths[number & (size * 2 - 1)] = this.lengthOf(number);
    }
    this.#starts = starts;
    this.#lengths = lengths;
  }
}

/** Room for the frames, for the stretch unused before going round, and for one being read. */
function capacityFor(bytes: number): number {
  return Math.ceil(bytes) + 3 * frameBytesMax;
}
