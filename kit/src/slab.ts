/**
 * A fixed piece of memory of its own ArrayBuffer, so that the kernel can be given its address while JavaScript keeps it
 * referenced. The address is 0 where nothing native ever sees it (the simulator).
 */
export interface Slab {
  readonly bytes: Uint8Array;
  readonly address: number;
}

/** Hands out slabs and takes them back; one per engine. */
export interface SlabPool {
  /** A slab of at least `size` bytes (rounded up to a size class); contents undefined. */
  take(size: number): Slab;
  give(slab: Slab): void;
}

/** Size classes of slabs double from 1 KiB to 64 KiB: interactive streams stay in the small ones. */
const smallestBytes = 1_024;
const classCount = 7;
const smallestClz: number = Math.clz32(smallestBytes - 1);

/** The class whose slabs hold so many bytes; {@link classCount} or more where none does. */
const classOf = (bytes: number): number => Math.max(0, smallestClz - Math.clz32(Math.max(bytes, 1) - 1));

/** A free list per size class over any way to make memory. Keeps at most `keepBytes` unused. */
export class FreeListPool implements SlabPool {
  readonly #free: Slab[][] = Array.from({ length: classCount }, () => []);
  /** By class: how many were unused all the time since {@link trim}. */
  readonly #neverTaken: number[] = Array.from({ length: classCount }, () => 0);
  readonly #make: (size: number) => Slab;
  readonly #keepBytes: number;
  #unusedBytes = 0;
  #usedBytes = 0;

  constructor(make: (size: number) => Slab, keepBytes: number) {
    this.#make = make;
    this.#keepBytes = keepBytes;
  }

  /** Bytes kept for those who will ask. */
  get unusedBytes(): number {
    return this.#unusedBytes;
  }

  /** Bytes handed out and not given back. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  take(size: number): Slab {
    const index = classOf(size);
    const free = this.#free[index];
    const slab = free?.pop();
    if (slab) {
      this.#neverTaken[index] = Math.min(this.#neverTaken[index] ?? 0, free?.length ?? 0);
      this.#unusedBytes -= slab.bytes.length;
      this.#usedBytes += slab.bytes.length;
      return slab;
    }
    const made = this.#make(index < classCount ? smallestBytes << index : size);
    this.#usedBytes += made.bytes.length;
    return made;
  }

  /** Forgets what was not needed since the last call: called now and then, it gives back what a burst has left. */
  trim(): void {
    for (const [index, free] of this.#free.entries()) {
      for (let n = this.#neverTaken[index] ?? 0; n > 0; n--) this.#unusedBytes -= free.pop()?.bytes.length ?? 0;
      this.#neverTaken[index] = free.length;
    }
  }

  give(slab: Slab): void {
    this.#usedBytes -= slab.bytes.length;
    const index = classOf(slab.bytes.length);
    const free = smallestBytes << index === slab.bytes.length ? this.#free[index] : undefined;
    if (!free || this.#unusedBytes + slab.bytes.length > this.#keepBytes) return;
    this.#unusedBytes += slab.bytes.length;
    free.push(slab);
  }
}

/** Memory without an address, for simulation and tests. */
export const heapSlab = (size: number): Slab => ({ bytes: new Uint8Array(size), address: 0 });
