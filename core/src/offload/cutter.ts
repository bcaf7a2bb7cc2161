/**
 * Cuts a long packet, as the kernel gives it for one send of an application, into the packets that go over the lines: each gets
 * the headers of the whole, with its own lengths, numbers, flags and checksums (RFC 9293; Linux, `segmentation-offloads`).
 *
 * Nothing is copied but the headers: those of a segment are laid over the end of the one before it, which has been taken by then.
 */
import { Protocol } from '../packet/inner-packet.ts';
import { readU16, readU32, writeU16, writeU32 } from '../wire/wire.ts';
import { folded, type SummedBytes } from './checksum.ts';
import { LongKind, type VnetHeader } from './vnet-header.ts';

/** Takes a packet, whose memory is its until it returns. */
export type TakePacket = (bytes: Uint8Array, start: number, end: number) => void;

const tcpHeaderMin = 20;
const udpHeaderBytes = 8;
/** Of TCP: flags that are the last segment's, and that is the first one's. */
const finOrPush = 0x09;
const cwr = 0x80;

export class Cutter {
  readonly #memory: SummedBytes;
  readonly #take: TakePacket;
  /** Of the packet at hand: how long its headers are, and where those of TCP or UDP begin. */
  #headBytes = 0;
  #innerAt = 0;

  constructor(memory: SummedBytes, take: TakePacket) {
    this.#memory = memory;
    this.#take = take;
  }

  /** Cuts the packet at [start, end) of its memory as the header says. Returns how many packets were taken; 0: it is not what the header says. */
  cut(header: Readonly<VnetHeader>, start: number, end: number): number {
    if (header.kind === LongKind.none) return this.#whole(header, start, end);
    if (!this.#understands(header, start, end)) return 0;
    const { bytes } = this.#memory;
    const { segmentBytes } = header;
    const inner = start + this.#innerAt;
    const four = (bytes[start] ?? 0) >> 4 === 4;
    const tcp = header.kind !== LongKind.udp;
    const id = readU16(bytes, start + 4);
    const number = tcp ? readU32(bytes, inner + 4) : 0;
    const flags = tcp ? (bytes[inner + 13] ?? 0) : 0;
    // The kernel has left the pseudo header's sum there, with the length of the whole.
    const pseudo = readU16(bytes, inner + header.checksumAt) + (~(end - inner) & 0xffff);
    const count = Math.ceil((end - start - this.#headBytes) / segmentBytes);
    for (let i = 0; i < count; i++) {
      const at = start + i * segmentBytes;
      const last = i === count - 1;
      if (i > 0) bytes.copyWithin(at, at - segmentBytes, at - segmentBytes + this.#headBytes);
      const to = last ? end : at + this.#headBytes + segmentBytes;
      if (four) this.#finishFour(at, to, (id + i) & 0xffff);
      else writeU16(bytes, at + 4, to - at - 40);
      const innerAt = at + this.#innerAt;
      if (tcp) {
        writeU32(bytes, innerAt + 4, (number + i * segmentBytes) >>> 0);
        bytes[innerAt + 13] = flags & ~(last ? 0 : finOrPush) & ~(i > 0 ? cwr : 0);
      } else writeU16(bytes, innerAt + 4, to - innerAt);
      this.#sumUp(innerAt, to, innerAt + header.checksumAt, pseudo + (to - innerAt), !tcp);
      this.#take(bytes, at, to);
    }
    return count;
  }

  /** A packet of the usual size, whose checksum may be missing. */
  #whole({ needsChecksum, checksumFrom, checksumAt }: Readonly<VnetHeader>, start: number, end: number): number {
    const from = start + checksumFrom;
    const at = from + checksumAt;
    if (needsChecksum) {
      if (at + 2 > end) return 0;
      const { bytes } = this.#memory;
      this.#sumUp(from, end, at, readU16(bytes, at), checksumAt === 6);
    }
    this.#take(this.#memory.bytes, start, end);
    return 1;
  }

  #finishFour(at: number, to: number, id: number): void {
    const { bytes, sum } = this.#memory;
    writeU16(bytes, at + 2, to - at);
    writeU16(bytes, at + 4, id);
    writeU16(bytes, at + 10, 0);
    writeU16(bytes, at + 10, ~sum(at, ((bytes[at] ?? 0) & 15) * 4) & 0xffff);
  }

  /** `pseudo` is the sum of what is not in [from, to); of UDP, no checksum is told by zero, and zero by the other one (RFC 768). */
  #sumUp(from: number, to: number, at: number, pseudo: number, neverZero: boolean): void {
    const { bytes, sum } = this.#memory;
    writeU16(bytes, at, 0);
    const checksum = ~folded(sum(from, to - from) + pseudo) & 0xffff;
    writeU16(bytes, at, checksum === 0 && neverZero ? 0xffff : checksum);
  }

  /** Whether the packet is one of the header's kind, with all its headers: their lengths are noted. */
  #understands(header: Readonly<VnetHeader>, start: number, end: number): boolean {
    const { bytes } = this.#memory;
    const { kind, segmentBytes, checksumFrom, checksumAt, needsChecksum } = header;
    const version = (bytes[start] ?? 0) >> 4;
    const four = version === 4;
    const tcp = kind === LongKind.tcp4 || kind === LongKind.tcp6;
    if (!needsChecksum || segmentBytes === 0 || (!tcp && kind !== LongKind.udp)) return false;
    if (four ? kind === LongKind.tcp6 : version !== 6 || kind === LongKind.tcp4) return false;
    if (checksumAt !== (tcp ? 16 : 6)) return false;
    const headerBytes = four ? ((bytes[start] ?? 0) & 15) * 4 : 40;
    // IPv6 may have further headers before what is checksummed.
    if (headerBytes < 20 || (four ? checksumFrom !== headerBytes : checksumFrom < headerBytes)) return false;
    if (four && bytes[start + 9] !== (tcp ? Protocol.tcp : Protocol.udp)) return false;
    const inner = start + checksumFrom;
    const innerBytes = tcp ? ((bytes[inner + 12] ?? 0) >> 4) * 4 : udpHeaderBytes;
    if (tcp && innerBytes < tcpHeaderMin) return false;
    this.#innerAt = checksumFrom;
    this.#headBytes = checksumFrom + innerBytes;
    return start + this.#headBytes < end;
  }
}
