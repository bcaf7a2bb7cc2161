/**
 * What stands before every packet of a TUN device that has long packets: struct virtio_net_hdr (Virtio 1.2, 5.1.6), in the byte order of
 * the machines we run on:
 *
 *     flags 1 │ kind 1 │ length of headers 2 │ of a segment 2 │ where the checksummed part begins 2 │ its checksum, from there 2
 */

export const vnetHeaderBytes = 10;
/** The checksum holds the pseudo header's sum only: the rest is to be added. */
const needsChecksumBit = 1;
const ecnBit = 0x80;

/** How a long packet is to be cut. */
export const LongKind = { none: 0, tcp4: 1, tcp6: 4, udp: 5 } as const;

export interface VnetHeader {
  needsChecksum: boolean;
  /** One of {@link LongKind}, or another that is not known here. */
  kind: number;
  headBytes: number;
  /** What a segment carries behind the headers, bytes. */
  segmentBytes: number;
  /** From the beginning of the packet, bytes. */
  checksumFrom: number;
  /** From there. */
  checksumAt: number;
}

export const emptyVnetHeader = (): VnetHeader => ({
  needsChecksum: false,
  kind: LongKind.none,
  headBytes: 0,
  segmentBytes: 0,
  checksumFrom: 0,
  checksumAt: 0,
});

export function readVnetHeader(bytes: Uint8Array, at: number, into: VnetHeader): void {
  into.needsChecksum = ((bytes[at] ?? 0) & needsChecksumBit) !== 0;
  into.kind = (bytes[at + 1] ?? 0) & ~ecnBit;
  into.headBytes = readLittle16(bytes, at + 2);
  into.segmentBytes = readLittle16(bytes, at + 4);
  into.checksumFrom = readLittle16(bytes, at + 6);
  into.checksumAt = readLittle16(bytes, at + 8);
}

export function writeVnetHeader(bytes: Uint8Array, at: number, header: Readonly<VnetHeader>): void {
  bytes[at] = header.needsChecksum ? needsChecksumBit : 0;
  bytes[at + 1] = header.kind;
  writeLittle16(bytes, at + 2, header.headBytes);
  writeLittle16(bytes, at + 4, header.segmentBytes);
  writeLittle16(bytes, at + 6, header.checksumFrom);
  writeLittle16(bytes, at + 8, header.checksumAt);
}

const readLittle16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

function writeLittle16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = value >>> 8;
}
