/**
 * What the receiver of a path's datagrams tells their sender, every now and then while any come:
 *
 *     kind 1 │ path 1 │ highest 6 │ arrived 4 │ waited 4 │ packets 6 │ bytes 6 │ largest 2
 *
 * Counts go on from the first datagram of the key, so that a report that is lost costs nothing but time. `arrived` is when the
 * highest number came, by the receiver's clock, `waited` how long ago that is, both in microseconds: the first shows how the
 * way there gets longer and shorter, the second leaves the round trip without the wait. `largest`: of the datagrams that
 * came since the report before, in bytes, so that the sender knows how large what passes now is.
 */
import { readU16, readU32, writeU16, writeU32 } from '../wire/wire.ts';
import { BodyKind } from './datagram.ts';

export const reportBytes = 30;
const u32 = 0x1_0000_0000;
const kindByte = BodyKind.report << 4;

export interface Report {
  path: number;
  highest: number;
  arrivedUs: number;
  waitedUs: number;
  packets: number;
  bytes: number;
  largest: number;
}

export function writeReport(bytes: Uint8Array, start: number, report: Readonly<Report>): void {
  bytes[start] = kindByte;
  bytes[start + 1] = report.path;
  writeU48(bytes, start + 2, report.highest);
  writeU32(bytes, start + 8, report.arrivedUs);
  writeU32(bytes, start + 12, report.waitedUs);
  writeU48(bytes, start + 16, report.packets);
  writeU48(bytes, start + 22, report.bytes);
  writeU16(bytes, start + 28, report.largest);
}

/** Reads a report into `into`. Returns false for what is none. */
export function readReport(bytes: Uint8Array, start: number, end: number, into: Report): boolean {
  if (end - start !== reportBytes || bytes[start] !== kindByte) return false;
  into.path = bytes[start + 1] ?? 0;
  into.highest = readU48(bytes, start + 2);
  into.arrivedUs = readU32(bytes, start + 8);
  into.waitedUs = readU32(bytes, start + 12);
  into.packets = readU48(bytes, start + 16);
  into.bytes = readU48(bytes, start + 22);
  into.largest = readU16(bytes, start + 28);
  return into.path > 0 && into.packets <= into.highest + 1;
}

const readU48 = (bytes: Uint8Array, at: number): number => readU16(bytes, at) * u32 + readU32(bytes, at + 2);

function writeU48(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, Math.floor(value / u32));
  writeU32(bytes, at + 2, value % u32);
}
