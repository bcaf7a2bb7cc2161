/**
 * The TUN device by which this machine's packets come and go. Where its kernel has long packets they are cut here on their way in,
 * so that flows are queued and sent packet by packet, and joined on their way out: what costs is the way through the kernel, packet by packet.
 */
import {
  Cutter,
  emptyVnetHeader,
  Joiner,
  joinerBytes,
  readVnetHeader,
  type VnetHeader,
  vnetHeaderBytes,
} from '@tresse/core';
import type { Slab } from '@tresse/kit';
import {
  type EventLoop,
  nativeSlab,
  READABLE,
  readInto,
  type SummedSlab,
  summedSlab,
  type TunOffloads,
  tunOffloads,
  writeFrom,
  writeTwo,
} from '@tresse/sys';

/** Packets taken per turn: others have theirs too. */
const packetsMax = 256;
/** Of the longest packet, its header, and a little. */
const readBytes = 65_536 + 64;

/** One serves all devices of a thread: what is read is taken at once. */
let read: SummedSlab | undefined;
/** What stands before a packet that is as it is. */
const plainHeader = nativeSlab(vnetHeaderBytes);

/** Takes a packet of [start, end), which is its until it returns. */
export type TakeLocal = (bytes: Uint8Array, start: number, end: number) => void;

export class TunDevice {
  readonly #offloads: TunOffloads;
  readonly #loop: EventLoop;
  readonly #fd: number;
  readonly #read: SummedSlab;
  readonly #header: VnetHeader = emptyVnetHeader();
  readonly #cutter: Cutter;
  readonly #joiner: Joiner | undefined;
  /** The kernel took no more, or would not have it. */
  undelivered = 0;
  /** Long packets that were none. */
  malformed = 0;
  /** Long packets that came, and that were made. */
  longIn = 0;
  longOut = 0;

  /** The descriptor stays the caller's. */
  constructor(loop: EventLoop, fd: number, take: TakeLocal) {
    this.#loop = loop;
    this.#fd = fd;
    this.#offloads = tunOffloads(fd);
    read ??= summedSlab(readBytes);
    this.#read = read;
    this.#cutter = new Cutter(read, take);
    if (this.#offloads.tcp) {
      const memory = summedSlab(joinerBytes);
      this.#joiner = new Joiner(memory, this.#offloads.udp, (start, length) => {
        if (memory.bytes[start + 1] !== 0) this.longOut++;
        if (writeFrom(fd, memory.address + start, length) < 0) this.undelivered++;
      });
    }
    loop.add(fd, READABLE, () => this.#drain());
  }

  /** What its kernel lacks that would make it fast, in a sentence for the log; undefined where there is nothing. */
  get lack(): string | undefined {
    const { tcp, udp } = this.#offloads;
    if (tcp && udp) return undefined;
    const what = tcp ? 'datagrams of UDP' : 'segments of TCP and UDP';
    return `the kernel does not join ${what} at the tunnel's device: packets take more processor`;
  }

  /** Takes a packet for this machine's hosts. It may be held until {@link afterBatch}. */
  write(slab: Slab, start: number, length: number): void {
    if (this.#joiner?.offer(slab.bytes, start, length) === true) return;
    const { headerBytes } = this.#offloads;
    const address = slab.address + start;
    const done =
      headerBytes > 0
        ? writeTwo(this.#fd, plainHeader.address, headerBytes, address, length)
        : writeFrom(this.#fd, address, length);
    if (done < 0) this.undelivered++;
  }

  /** Called after every turn of the loop: hands on what is held. */
  afterBatch(): void {
    this.#joiner?.flush();
  }

  end(): void {
    this.#loop.remove(this.#fd);
  }

  #drain(): void {
    const { bytes, address } = this.#read;
    const { headerBytes } = this.#offloads;
    for (let taken = 0; taken < packetsMax;) {
      const count = readInto(this.#fd, address, readBytes);
      if (count <= headerBytes) return;
      if (headerBytes > 0) readVnetHeader(bytes, 0, this.#header);
      const packets = this.#cutter.cut(this.#header, headerBytes, count);
      if (packets === 0) this.malformed++;
      else if (packets > 1) this.longIn++;
      taken += Math.max(1, packets);
    }
  }
}
