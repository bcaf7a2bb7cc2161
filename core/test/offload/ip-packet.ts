/** IP packets made by hand, and checked by rules written down a second time. */

export interface Made {
  readonly version: 4 | 6;
  readonly protocol: 6 | 17;
  readonly from?: number;
  readonly to?: number;
  readonly sequence?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly options?: readonly number[];
  readonly id?: number;
  readonly whole?: boolean;
  readonly dscp?: number;
  readonly ttl?: number;
  readonly host?: number;
  readonly body: Uint8Array;
}

function sumOf(...pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (const piece of pieces) for (const [i, byte] of piece.entries()) sum += i % 2 === 0 ? byte * 256 : byte;
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return sum;
}

/** Addresses, protocol and length, as they are summed with TCP and UDP. */
function pseudoOf(packet: Uint8Array): Uint8Array {
  const four = packet[0]! >> 4 === 4;
  const at = four ? (packet[0]! & 15) * 4 : 40;
  const length = packet.length - at;
  const addresses = four ? packet.subarray(12, 20) : packet.subarray(8, 40);
  return Uint8Array.from([...addresses, 0, four ? packet[9]! : packet[6]!, length >> 8, length & 255]);
}

export const innerOf = (packet: Uint8Array): number => (packet[0]! >> 4 === 4 ? (packet[0]! & 15) * 4 : 40);
export const checksumAtOf = (packet: Uint8Array): number => (packet[packet[0]! >> 4 === 4 ? 9 : 6] === 6 ? 16 : 6);

/** Whether lengths and checksums of a packet are right, as its receiver sees it. */
export function isSound(packet: Uint8Array): boolean {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const four = packet[0]! >> 4 === 4;
  const inner = innerOf(packet);
  if (four && (view.getUint16(2) !== packet.length || sumOf(packet.subarray(0, inner)) !== 0xffff)) return false;
  if (!four && view.getUint16(4) !== packet.length - 40) return false;
  const udp = packet[four ? 9 : 6] === 17;
  if (udp && view.getUint16(inner + 4) !== packet.length - inner) return false;
  return sumOf(pseudoOf(packet), packet.subarray(inner)) === 0xffff;
}

/** Writes lengths and checksums; `partial`: that of TCP or UDP is the pseudo header's sum only, as for a card that does the rest. */
export function finish(packet: Uint8Array, partial = false): Uint8Array {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const four = packet[0]! >> 4 === 4;
  const inner = innerOf(packet);
  if (four) {
    view.setUint16(2, packet.length);
    view.setUint16(10, 0);
    view.setUint16(10, ~sumOf(packet.subarray(0, inner)) & 0xffff);
  } else view.setUint16(4, packet.length - 40);
  if (packet[four ? 9 : 6] === 17) view.setUint16(inner + 4, packet.length - inner);
  const at = inner + checksumAtOf(packet);
  view.setUint16(at, 0);
  const pseudo = sumOf(pseudoOf(packet));
  const checksum = ~sumOf(pseudoOf(packet), packet.subarray(inner)) & 0xffff;
  view.setUint16(at, partial ? pseudo : checksum === 0 && checksumAtOf(packet) === 6 ? 0xffff : checksum);
  return packet;
}

export function packetOf(made: Made, partial = false): Uint8Array {
  const { version, protocol, body, options = [], host = 2 } = made;
  const inner = version === 4 ? 20 : 40;
  const head = inner + (protocol === 6 ? 20 + options.length : 8);
  const packet = new Uint8Array(head + body.length);
  const view = new DataView(packet.buffer);
  if (version === 4) {
    packet.set([0x45, (made.dscp ?? 0) << 2]);
    view.setUint16(4, made.id ?? 0);
    view.setUint16(6, made.whole === false ? 0 : 0x4000);
    packet.set([made.ttl ?? 64, protocol], 8);
    packet.set([10, 0, 0, 1, 10, 0, 0, host], 12);
  } else {
    packet.set([0x60, 0, 0, 9]);
    packet.set([protocol, made.ttl ?? 64], 6);
    packet.set([0xfd, 1], 8);
    packet.set([0xfd, host], 24);
  }
  view.setUint16(inner, made.from ?? 1_000);
  view.setUint16(inner + 2, made.to ?? 443);
  if (protocol === 6) {
    view.setUint32(inner + 4, made.sequence ?? 1);
    view.setUint32(inner + 8, made.ack ?? 77);
    packet.set([((20 + options.length) / 4) << 4, made.flags ?? 0x10], inner + 12);
    view.setUint16(inner + 14, made.window ?? 500);
    packet.set(options, inner + 20);
  }
  packet.set(body, head);
  return finish(packet, partial);
}

/** Memory whose sums are taken by the reference. */
export function summed(size: number): { bytes: Uint8Array; sum: (start: number, length: number) => number } {
  const bytes = new Uint8Array(size);
  return { bytes, sum: (start, length) => sumOf(bytes.subarray(start, start + length)) };
}
