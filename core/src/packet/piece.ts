/**
 * A packet too long for its path goes in pieces, so that it passes whatever its sender makes of its size, and nobody is told to send
 * smaller ones who has better lines too:
 *
 *     prefix of the packet 7, kind 3 │ length of the packet 2 │ index 4 bits, pieces 4 bits │ bytes
 *
 * All pieces but the last are of one size, the packet's length divided by their number and rounded up.
 */
import { tagBytes } from '../limits.ts';
import { readU16, writeU16 } from '../wire/wire.ts';
import { datagramHeaderBytes, datagramOverheadBytes, packetPrefixBytes } from './datagram.ts';

/** Prefix and what follows it in a piece, bytes. */
export const piecePrefixBytes: number = packetPrefixBytes + 3;
const pieceOverheadBytes: number = datagramHeaderBytes + piecePrefixBytes + tagBytes;
const indexShift = 4;
const piecesMax = 15;

export interface PiecePlace {
  /** Of the whole packet, bytes. */
  length: number;
  index: number;
  pieces: number;
}

/** In how many pieces a packet of so many bytes goes where no datagram may be longer than `limitBytes`; 1: whole. */
export function piecesOf(length: number, limitBytes: number): number {
  if (length + datagramOverheadBytes <= limitBytes) return 1;
  return Math.min(piecesMax, Math.ceil(length / (limitBytes - pieceOverheadBytes)));
}

/** Where a piece begins in its packet, bytes. */
export const pieceStart = (length: number, index: number, pieces: number): number =>
  Math.min(length, index * Math.ceil(length / pieces));

export function writePiecePlace(bytes: Uint8Array, start: number, place: Readonly<PiecePlace>): void {
  writeU16(bytes, start + packetPrefixBytes, place.length);
  bytes[start + packetPrefixBytes + 2] = (place.index << indexShift) | place.pieces;
}

/** Reads the place of a piece whose body is at [start, end) into `into`. Returns false where it cannot be: the bytes do not fit it. */
export function readPiecePlace(bytes: Uint8Array, start: number, end: number, into: PiecePlace): boolean {
  if (end - start <= piecePrefixBytes) return false;
  into.length = readU16(bytes, start + packetPrefixBytes);
  const numbers = bytes[start + packetPrefixBytes + 2] ?? 0;
  into.index = numbers >> indexShift;
  into.pieces = numbers & piecesMax;
  const { length, index, pieces } = into;
  const bytesOf = pieceStart(length, index + 1, pieces) - pieceStart(length, index, pieces);
  return pieces > 1 && index < pieces && bytesOf === end - start - piecePrefixBytes;
}
