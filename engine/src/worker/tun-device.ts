/** The TUN device by which this machine's packets come and go. */
import type { Slab } from '@tresse/kit';
import { type EventLoop, nativeSlab, READABLE, readInto, writeFrom } from '@tresse/sys';

/** Reads per turn: others have theirs too. */
const readsMax = 64;

const packet: Slab = nativeSlab(4_096);

export class TunDevice {
  readonly #loop: EventLoop;
  readonly #fd: number;
  /** The kernel took no more, or would not have it. */
  undelivered = 0;

  /** The descriptor stays the caller's. `take` gets each packet at the beginning of memory that is its until it returns. */
  constructor(loop: EventLoop, fd: number, take: (bytes: Uint8Array, length: number) => void) {
    this.#loop = loop;
    this.#fd = fd;
    loop.add(fd, READABLE, () => {
      for (let i = 0; i < readsMax; i++) {
        const count = readInto(fd, packet.address, packet.bytes.length);
        if (count <= 0) return;
        take(packet.bytes, count);
      }
    });
  }

  write(slab: Slab, start: number, length: number): void {
    if (writeFrom(this.#fd, slab.address + start, length) < 0) this.undelivered++;
  }

  end(): void {
    this.#loop.remove(this.#fd);
  }
}
