/**
 * Datagrams on their way to the kernel. Those that go the same way one behind the other, and are of one size but for the last, go in one call, and as
 * one packet through most of the kernel (UDP_SEGMENT, Linux 4.18): on the wire they are what they would be by themselves.
 */
import type { Slab } from '@tresse/kit';
import { EAGAIN, type Endpoint, nativeSlab, sendTo } from '@tresse/sys';

/** What the kernel takes at most in one call: datagrams (UDP_MAX_SEGMENTS), and bytes with headers. */
const datagramsMax = 64;
const bytesMax = 65_000;
/** Room for one that is about to be added. */
const landingBytes = 4_096;
/** Ways at once: whoever has more lines sends shorter trains. */
const trainsMax = 4;

/** Where a path's datagrams leave, and where they go. */
export interface Way {
  fd: number;
  readonly to: Endpoint;
  /** The kernel refuses trains here: a card, or what is between, cannot cut them. */
  single: boolean;
}

class Train {
  readonly slab: Slab = nativeSlab(bytesMax + landingBytes);
  way: Way | undefined;
  /** Of each but the last, bytes. */
  size = 0;
  count = 0;
  bytes = 0;
}

export class DatagramTrains {
  readonly #call: typeof sendTo;
  readonly #trains: readonly Train[] = Array.from({ length: trainsMax }, () => new Train());
  #last = this.#first();
  #refused = false;
  #unsent = 0;

  /** `call` is the kernel's. */
  constructor(call: typeof sendTo = sendTo) {
    this.#call = call;
  }

  /** Where the next datagram is best written: behind the train that was added to last. */
  get landing(): Slab {
    return this.#last.slab;
  }

  get landingAt(): number {
    return this.#last.bytes;
  }

  /**
   * Makes room for a datagram of so many bytes behind those of its way, of which `written`, from `from` on, stand at the landing. Returns where it begins
   * now in {@link landing}; there it is to be finished before anything else happens here.
   */
  add(way: Way, length: number, from: number, written: number): number {
    const before = this.#last;
    const at = before.bytes + from;
    const train = before.way === way || before.count === 0 ? before : this.#of(way);
    if (train.count > 0 && !fits(train, length)) this.#send(train);
    if (train !== before) train.slab.bytes.set(before.slab.bytes.subarray(at, at + written), train.bytes + from);
    else if (at !== train.bytes + from) train.slab.bytes.copyWithin(train.bytes + from, at, at + written);
    const start = train.bytes;
    if (train.count === 0) {
      train.way = way;
      train.size = length;
    }
    train.count++;
    train.bytes += length;
    this.#last = train;
    return start;
  }

  /** Whether the kernel has refused a train whose datagrams it took one by one, since this was asked last. */
  takeRefusal(): boolean {
    const refused = this.#refused;
    this.#refused = false;
    return refused;
  }

  /** Sends all. Returns how many datagrams the kernel did not take. */
  flush(): number {
    for (const train of this.#trains) if (train.count > 0) this.#send(train);
    const unsent = this.#unsent;
    this.#unsent = 0;
    return unsent;
  }

  #first(): Train {
    const [train = new Train()] = this.#trains;
    return train;
  }

  /** The train of a way, or one that is empty now. */
  #of(way: Way): Train {
    let empty: Train | undefined;
    for (const train of this.#trains) {
      if (train.count === 0) empty ??= train;
      else if (train.way === way) return train;
    }
    if (empty) return empty;
    const train = this.#first();
    this.#send(train);
    return train;
  }

  #send(train: Train): void {
    const { way, size, count, bytes, slab } = train;
    train.count = 0;
    train.bytes = 0;
    train.way = undefined;
    if (!way) return;
    if (count === 1) {
      if (this.#call(way.fd, slab.address, bytes, way.to) < 0) this.#unsent++;
      return;
    }
    const sent = way.single ? -1 : this.#call(way.fd, slab.address, bytes, way.to, size);
    if (sent >= 0) return;
    if (!way.single && sent === -EAGAIN) {
      this.#unsent += count;
      return;
    }
    let taken = 0;
    for (let at = 0; at < bytes; at += size) {
      if (this.#call(way.fd, slab.address + at, Math.min(size, bytes - at), way.to) >= 0) taken++;
      else this.#unsent++;
    }
    // Where not even one is taken there is another reason: too long, no route.
    if (taken === 0 || way.single) return;
    way.single = true;
    this.#refused = true;
  }
}

/** Behind a shorter one nothing goes. */
function fits({ size, count, bytes }: Readonly<Train>, length: number): boolean {
  return length <= size && bytes === count * size && count < datagramsMax && bytes + length <= bytesMax;
}
