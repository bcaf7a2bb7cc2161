/**
 * The first 49 bytes of a strand, box to relay: `0x54 | kid 8 | salt 16 | sealed(strand 4, path 1, role 1, reserved 2) |
 * tag 16`. The first 25 bytes are the associated data. Sealing is the caller's.
 */
import { readU32, writeU32 } from './wire.ts';

/** 'T': tells a strand from a TLS handshake (0x16) on the same port. */
export const openingByte = 0x54;
export const kidBytes = 8;
export const saltBytes = 16;
export const openingAadBytes: number = 1 + kidBytes + saltBytes;
export const openingTextBytes = 8;
export const openingBytes: number = openingAadBytes + openingTextBytes + 16;

export const StrandRole = { quick: 1, bulk: 2, datagram: 3 } as const;
export type StrandRole = (typeof StrandRole)[keyof typeof StrandRole];

export interface Opening {
  readonly strand: number;
  readonly path: number;
  readonly role: StrandRole;
}

/** The last four bytes of a kid at `at`, which name it in datagrams. */
export function kidNumber(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + kidBytes - 4);
}

/** Which of a relay's workers has the sessions of a kid at `at`: its number modulo theirs. */
export function workerOfKid(bytes: Uint8Array, at: number, workers: number): number {
  return kidNumber(bytes, at) % workers;
}

/** Writes the plain opening at `at`; the caller then seals the 8 bytes behind the associated data. */
export function writeOpening(bytes: Uint8Array, at: number, kid: Uint8Array, salt: Uint8Array, o: Opening): void {
  bytes[at] = openingByte;
  bytes.set(kid, at + 1);
  bytes.set(salt, at + 1 + kidBytes);
  const text = at + openingAadBytes;
  writeU32(bytes, text, o.strand);
  bytes[text + 4] = o.path;
  bytes[text + 5] = o.role;
  bytes[text + 6] = 0;
  bytes[text + 7] = 0;
}

const isRole = (role: number): role is StrandRole => role >= StrandRole.quick && role <= StrandRole.datagram;

/** Reads the opened 8 bytes at `at`; undefined when a number is impossible. */
export function readOpening(bytes: Uint8Array, at: number): Opening | undefined {
  const strand = readU32(bytes, at);
  const path = bytes[at + 4] ?? 0;
  const role = bytes[at + 5] ?? 0;
  if (strand === 0 || path === 0 || !isRole(role)) return undefined;
  return { strand, path, role };
}
