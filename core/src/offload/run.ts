/** A packet that grows by the ones behind it: the beginning of one flow's segments, in memory of its own. */
import { Protocol } from '../packet/inner-packet.ts';
import { readU16, readU32, writeU16 } from '../wire/wire.ts';
import { folded, type SummedBytes, wordSum } from './checksum.ts';
import { LongKind, type VnetHeader, vnetHeaderBytes, writeVnetHeader } from './vnet-header.ts';

/** No IP packet is longer. */
const packetBytesMax = 65_535;
/** Room of one: what stands before the packet, so that the packet itself begins at a multiple of 16. */
const roomBefore = 16;
export const runBytes: number = roomBefore + packetBytesMax + 1;
/** Linux takes no more datagrams in one (UDP_MAX_SEGMENTS of kernels before 6.9). */
const datagramsMax = 64;

/** Of TCP: only these may be set in what is joined; the second ends it. */
const fin = 0x01;
const psh = 0x08;
const ack = 0x10;
const ece = 0x40;

/** What is known of a packet whose headers were looked at. */
export interface Segment {
  four: boolean;
  tcp: boolean;
  /** From the packet's beginning, bytes: where TCP or UDP begins, and what it carries. */
  innerAt: number;
  headBytes: number;
}

export class Run {
  readonly #memory: SummedBytes;
  /** Where its packet begins. */
  readonly #at: number;
  readonly #first: Segment = { four: true, tcp: true, innerAt: 0, headBytes: 0 };
  readonly #header: VnetHeader;
  #length = 0;
  #count = 0;
  #segmentBytes = 0;
  /** Of the next one: its number in TCP's stream. */
  #next = 0;
  #id = 0;
  /** Sum of addresses and protocol. */
  #pseudo = 0;
  /** The first one's checksum was found right. */
  #proved = false;
  #ended = false;

  /** `index`: which {@link runBytes} of the memory are its. */
  constructor(memory: SummedBytes, index: number, header: VnetHeader) {
    this.#memory = memory;
    this.#at = index * runBytes + roomBefore;
    this.#header = header;
  }

  /** Packets in it; 0: it is free. */
  get count(): number {
    return this.#count;
  }

  /** Where the header for the device begins that {@link end} writes. */
  get start(): number {
    return this.#at - vnetHeaderBytes;
  }

  /** Takes a packet as its first, if more may follow that one. */
  begin(bytes: Uint8Array, start: number, length: number, segment: Readonly<Segment>): boolean {
    const { four, tcp, innerAt, headBytes } = segment;
    const inner = start + innerAt;
    if (length <= headBytes) return false;
    if (tcp ? ((bytes[inner + 13] ?? 0) & ~ece) !== ack : readU16(bytes, inner + 6) === 0) return false;
    Object.assign(this.#first, segment);
    this.#memory.bytes.set(bytes.subarray(start, start + length), this.#at);
    this.#length = length;
    this.#count = 1;
    this.#segmentBytes = length - headBytes;
    this.#next = tcp ? (readU32(bytes, inner + 4) + this.#segmentBytes) >>> 0 : 0;
    this.#id = four ? readU16(bytes, start + 4) : 0;
    this.#proved = false;
    return true;
  }

  /** Whether a packet is of the same flow. */
  isOf(bytes: Uint8Array, start: number, { four, tcp, innerAt }: Readonly<Segment>): boolean {
    if (this.#count === 0 || four !== this.#first.four || tcp !== this.#first.tcp) return false;
    // Addresses, and the ports right behind them.
    const own = this.#memory.bytes;
    for (let at = four ? 12 : 8; at < innerAt + 4; at += 4) {
      if (readU32(own, this.#at + at) !== readU32(bytes, start + at)) return false;
    }
    return true;
  }

  /**
   * Takes a packet of the same flow behind the others. Returns whether it did: it must be the next one, with nothing in its headers that is not in the first one's,
   * and the checksums of both must be right, for the joined packet gets another one.
   */
  add(bytes: Uint8Array, start: number, length: number, segment: Readonly<Segment>): boolean {
    const { tcp, innerAt, headBytes } = this.#first;
    const carried = length - headBytes;
    if (segment.headBytes !== headBytes || carried <= 0 || carried > this.#segmentBytes) return false;
    if (this.#length + carried > packetBytesMax || !this.#alike(bytes, start)) return false;
    if (tcp && !this.#nextOfTcp(bytes, start)) return false;
    const to = this.#at + this.#length;
    this.#memory.bytes.set(bytes.subarray(start + headBytes, start + length), to);
    this.#prove();
    const head = wordSum(bytes, start + innerAt, headBytes - innerAt);
    const sum = this.#pseudo + length - innerAt + head + this.#memory.sum(to, carried);
    if (!this.#proved || folded(sum) !== 0xffff) return false;
    this.#length += carried;
    this.#count++;
    this.#next = (this.#next + carried) >>> 0;
    this.#id = (this.#id + 1) & 0xffff;
    const flags = tcp ? (bytes[start + innerAt + 13] ?? 0) & (fin | psh) : 0;
    const countMax = tcp ? Infinity : datagramsMax;
    const own = this.#memory.bytes;
    if (flags > 0) own[this.#at + innerAt + 13] = (own[this.#at + innerAt + 13] ?? 0) | flags;
    // Nothing may stand behind a short one, nor behind one that is to be handed on at once.
    if (flags > 0 || carried < this.#segmentBytes || this.#count === countMax) this.#ended = true;
    return true;
  }

  /** Nothing more can be added. */
  get full(): boolean {
    return this.#ended || this.#length + this.#segmentBytes > packetBytesMax;
  }

  /** Writes what the device is to know before the packet, and the lengths and checksums of the whole. Returns the bytes of both; it is free then. */
  end(): number {
    const { four, tcp, innerAt, headBytes } = this.#first;
    const { bytes } = this.#memory;
    const header = this.#header;
    const long = this.#count > 1;
    header.needsChecksum = long;
    header.kind = long ? kindOf(tcp, four) : LongKind.none;
    header.headBytes = long ? headBytes : 0;
    header.segmentBytes = long ? this.#segmentBytes : 0;
    header.checksumFrom = long ? innerAt : 0;
    header.checksumAt = long ? (tcp ? 16 : 6) : 0;
    if (long) {
      const innerBytes = this.#length - innerAt;
      const inner = this.#at + innerAt;
      if (four) this.#finishFour();
      else writeU16(bytes, this.#at + 4, innerBytes);
      if (!tcp) writeU16(bytes, inner + 4, innerBytes);
      writeU16(bytes, inner + header.checksumAt, folded(this.#pseudo + innerBytes));
    }
    writeVnetHeader(bytes, this.start, header);
    this.#count = 0;
    this.#ended = false;
    return vnetHeaderBytes + this.#length;
  }

  #finishFour(): void {
    const { bytes, sum } = this.#memory;
    writeU16(bytes, this.#at + 2, this.#length);
    writeU16(bytes, this.#at + 10, 0);
    writeU16(bytes, this.#at + 10, ~sum(this.#at, this.#first.innerAt) & 0xffff);
  }

  /** Whether the IP headers differ in lengths and checksum only, and in numbers that count on or that nobody needs (RFC 6864). */
  #alike(bytes: Uint8Array, start: number): boolean {
    const own = this.#memory.bytes;
    const at = this.#at;
    if (!this.#first.four) return readU32(own, at) === readU32(bytes, start) && own[at + 7] === bytes[start + 7];
    const wholeBit = (bytes[start + 6] ?? 0) & 0x40;
    const counts = wholeBit !== 0 || readU16(bytes, start + 4) === ((this.#id + 1) & 0xffff);
    return (
      counts &&
      readU16(own, at) === readU16(bytes, start) &&
      own[at + 6] === bytes[start + 6] &&
      own[at + 8] === bytes[start + 8]
    );
  }

  /** Whether it is the next of its connection, and says nothing else than the first one: no other acknowledgement, window, flag or option. */
  #nextOfTcp(bytes: Uint8Array, start: number): boolean {
    const own = this.#memory.bytes;
    const inner = start + this.#first.innerAt;
    const ours = this.#at + this.#first.innerAt;
    if (readU32(bytes, inner + 4) !== this.#next || readU32(bytes, inner + 8) !== readU32(own, ours + 8)) return false;
    const flags = (bytes[inner + 13] ?? 0) & ~(fin | psh);
    if (bytes[inner + 12] !== own[ours + 12] || flags !== own[ours + 13]) return false;
    if (readU16(bytes, inner + 14) !== readU16(own, ours + 14)) return false;
    if (readU16(bytes, inner + 18) !== readU16(own, ours + 18)) return false;
    for (let at = 20; at < this.#first.headBytes - this.#first.innerAt; at += 4) {
      if (readU32(bytes, inner + at) !== readU32(own, ours + at)) return false;
    }
    return true;
  }

  /** Sums the first one up, once something is to be joined to it. */
  #prove(): void {
    if (this.#proved || this.#count !== 1) return;
    const { four, tcp, innerAt } = this.#first;
    const from = four ? 12 : 8;
    const protocol = tcp ? Protocol.tcp : Protocol.udp;
    this.#pseudo = wordSum(this.#memory.bytes, this.#at + from, innerAt - from) + protocol;
    const innerBytes = this.#length - innerAt;
    const sum = this.#pseudo + innerBytes + this.#memory.sum(this.#at + innerAt, innerBytes);
    this.#proved = folded(sum) === 0xffff;
  }
}

const kindOf = (tcp: boolean, four: boolean): number => (tcp ? (four ? LongKind.tcp4 : LongKind.tcp6) : LongKind.udp);
