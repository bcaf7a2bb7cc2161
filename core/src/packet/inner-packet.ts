/** What a scheduler needs to know of an IP packet: whose flow it is, and what it is marked as. Nothing is allocated. */
import { readU16, readU32 } from '../wire/wire.ts';

export const Protocol = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

const dscpShift = 2;
/** IPv6 extension headers that stand before the one that counts (RFC 8200): hop-by-hop, routing, destination options. */
const skippedHeaders: ReadonlySet<number> = new Set([0, 43, 60]);
const fragmentHeader = 44;
const headersMax = 8;

/** Read anew for every packet. */
export interface InnerPacket {
  /** The same for both directions of a flow; 32 bits. */
  hash: number;
  protocol: number;
  /** Ports of TCP and UDP, the sender's first; 0 where there are none, or another fragment has them. */
  from: number;
  to: number;
  /** DSCP (RFC 2474), 6 bits. */
  dscp: number;
  /** Where what TCP, UDP or another protocol carries begins. */
  payload: number;
}

/** Reads the packet at [start, end) into `into`; `seed` makes hashes nobody outside can foretell. Returns false for what is no whole IP packet. */
export function readInnerPacket(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
  into: InnerPacket,
): boolean {
  const version = (bytes[start] ?? 0) >> 4;
  into.from = 0;
  into.to = 0;
  if (version === 4) return readIpv4(bytes, start, end, seed, into);
  return version === 6 && readIpv6(bytes, start, end, seed, into);
}

function readIpv4(bytes: Uint8Array, start: number, end: number, seed: number, into: InnerPacket): boolean {
  const headerBytes = ((bytes[start] ?? 0) & 15) * 4;
  if (headerBytes < 20 || end - start < headerBytes || readU16(bytes, start + 2) !== end - start) return false;
  into.protocol = bytes[start + 9] ?? 0;
  into.dscp = (bytes[start + 1] ?? 0) >> dscpShift;
  into.payload = start + headerBytes;
  const from = mix(seed, readU32(bytes, start + 12));
  const to = mix(seed, readU32(bytes, start + 16));
  // Of a fragment other than the first, and so of all of them, the ports are unknown: they stay together.
  const fragment = (readU16(bytes, start + 6) & 0x3fff) !== 0;
  finish(bytes, end, fragment, from, to, into);
  return true;
}

function readIpv6(bytes: Uint8Array, start: number, end: number, seed: number, into: InnerPacket): boolean {
  if (end - start < 40 || readU16(bytes, start + 4) !== end - start - 40) return false;
  into.dscp = (readU16(bytes, start) >> 6) & 63;
  let protocol = bytes[start + 6] ?? 0;
  let at = start + 40;
  let fragment = false;
  for (let i = 0; i < headersMax; i++) {
    if (protocol === fragmentHeader) fragment = true;
    else if (!skippedHeaders.has(protocol)) break;
    if (at + 8 > end) return false;
    const length = protocol === fragmentHeader ? 8 : 8 * ((bytes[at + 1] ?? 0) + 1);
    protocol = bytes[at] ?? 0;
    at += length;
  }
  if (at > end) return false;
  into.protocol = protocol;
  into.payload = at;
  finish(bytes, end, fragment, hash16(bytes, start + 8, seed), hash16(bytes, start + 24, seed), into);
  return true;
}

function finish(bytes: Uint8Array, end: number, fragment: boolean, from: number, to: number, into: InnerPacket): void {
  const { protocol, payload } = into;
  const ported = protocol === Protocol.tcp || protocol === Protocol.udp;
  if (ported && !fragment && payload + 4 <= end) {
    into.from = readU16(bytes, payload);
    into.to = readU16(bytes, payload + 2);
    into.payload = payload + (protocol === Protocol.udp ? 8 : tcpHeaderBytes(bytes, payload));
  }
  // Each end by itself, then both in any order.
  const one = mix(from, into.from);
  const other = mix(to, into.to);
  into.hash = mix((one + other) | 0, protocol) ^ (one ^ other);
  into.hash >>>= 0;
}

const tcpHeaderBytes = (bytes: Uint8Array, at: number): number => ((bytes[at + 12] ?? 0) >> 4) * 4;

function hash16(bytes: Uint8Array, at: number, seed: number): number {
  let hash = seed;
  for (let i = 0; i < 16; i += 4) hash = mix(hash, readU32(bytes, at + i));
  return hash;
}

/** One round of MurmurHash3 and its end (Appleby 2011). */
function mix(hash: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return h ^ (h >>> 13);
}
