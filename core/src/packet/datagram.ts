/**
 * Datagrams of the packet lane (docs/protocol.md, "Datagrams"):
 *
 *     0x51 │ path 1 │ key 2 │ session 4 │ number 8 │ sealed body │ tag 16
 *
 * The header is the associated data. Numbers count per path and key, so that path and number together are the nonce.
 */
import { tagBytes } from '../limits.ts';
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../wire/wire.ts';

/** First byte of every datagram: a packet, version 1. */
const datagramByte = 0x51;
export const datagramHeaderBytes = 16;
/** Kind and class, bucket, sequence: before every inner packet. */
export const packetPrefixBytes = 7;
/** A datagram adds so much to the inner packet: header, prefix, tag. */
export const datagramOverheadBytes: number = datagramHeaderBytes + packetPrefixBytes + tagBytes;
/** Headers of IPv4 and UDP, bytes. Both ends count these, whatever the way between them has. */
export const tunnelHeaderBytes = 28;
/** What a packet costs on the wire beside itself, bytes. */
export const wireOverheadBytes: number = datagramOverheadBytes + tunnelHeaderBytes;
/** No packet number reaches this under one key, so that path and number fit a counter of 53 bits. */
export const packetNumberMax: number = 2 ** 45;

/** Where the session's number stands, by which datagrams find their worker. */
export const datagramSessionAt = 4;

export interface DatagramHeader {
  path: number;
  key: number;
  session: number;
  number: number;
}

/** Reads a header into `into`. Returns false for what is no datagram of ours: too short, another first byte, a number out of range. */
export function readDatagramHeader(bytes: Uint8Array, start: number, length: number, into: DatagramHeader): boolean {
  if (length < datagramHeaderBytes + 1 + tagBytes || bytes[start] !== datagramByte) return false;
  into.path = bytes[start + 1] ?? 0;
  into.key = readU16(bytes, start + 2);
  into.session = readU32(bytes, start + 4);
  into.number = readU64(bytes, start + 8);
  return into.path > 0 && into.number >= 0 && into.number < packetNumberMax;
}

export function writeDatagramHeader(bytes: Uint8Array, start: number, header: Readonly<DatagramHeader>): void {
  bytes[start] = datagramByte;
  bytes[start + 1] = header.path;
  writeU16(bytes, start + 2, header.key);
  writeU32(bytes, start + 4, header.session);
  writeU64(bytes, start + 8, header.number);
}

/** The counter that seals a datagram under the key of its direction: no other one has it. */
export const sealCounterOf = (path: number, number: number): number => path * packetNumberMax + number;

/** What a body is. */
export const BodyKind = { packet: 0, report: 1, probe: 2, piece: 3 } as const;
export type BodyKind = (typeof BodyKind)[keyof typeof BodyKind];

/** How a packet is scheduled and queued; the number is what travels. */
export const PacketClass = { realtime: 0, interactive: 1, bulk: 2 } as const;
export type PacketClass = (typeof PacketClass)[keyof typeof PacketClass];

/** The packet is spread over several paths: the receiver puts its bucket in order again. */
const orderedBit = 4;
const classBits = 3;
export const kindShift = 4;

/** What stands before an inner packet. */
export interface PacketPrefix {
  class: PacketClass;
  ordered: boolean;
  bucket: number;
  sequence: number;
}

/** Kind of a body by its first byte; what is not known is to be ignored. */
export const bodyKind = (first: number): number => first >> kindShift;

/** `kind`: a whole packet, or a piece of one, which has more behind the prefix. */
export function writePacketPrefix(
  bytes: Uint8Array,
  start: number,
  prefix: Readonly<PacketPrefix>,
  kind: BodyKind = BodyKind.packet,
): void {
  bytes[start] = (kind << kindShift) | (prefix.ordered ? orderedBit : 0) | prefix.class;
  writeU16(bytes, start + 1, prefix.bucket);
  writeU32(bytes, start + 3, prefix.sequence);
}

/** Reads the prefix at `start` into `into`. Returns false when it is none: a class that is not there, or no packet behind it. */
export function readPacketPrefix(bytes: Uint8Array, start: number, end: number, into: PacketPrefix): boolean {
  if (end - start <= packetPrefixBytes) return false;
  const first = bytes[start] ?? 0;
  const kind = first & classBits;
  if (kind > PacketClass.bulk) return false;
  into.class = kind as PacketClass;
  into.ordered = (first & orderedBit) !== 0;
  into.bucket = readU16(bytes, start + 1);
  into.sequence = readU32(bytes, start + 3);
  return true;
}
