import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Cutter } from '../../src/offload/cutter.ts';
import {
  emptyVnetHeader,
  LongKind,
  readVnetHeader,
  type VnetHeader,
  writeVnetHeader,
} from '../../src/offload/vnet-header.ts';
import { checksumAtOf, innerOf, isSound, type Made, packetOf, summed } from './ip-packet.ts';

const start = 13;
const timestamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];

function headerOf(packet: Uint8Array, segmentBytes: number): VnetHeader {
  const four = packet[0]! >> 4 === 4;
  const tcp = checksumAtOf(packet) === 16;
  return {
    needsChecksum: true,
    kind: tcp ? (four ? LongKind.tcp4 : LongKind.tcp6) : LongKind.udp,
    headBytes: 0,
    segmentBytes,
    checksumFrom: innerOf(packet),
    checksumAt: checksumAtOf(packet),
  };
}

/** Cuts a packet and returns copies of what comes. */
function cut(packet: Uint8Array, header: VnetHeader): { came: Uint8Array[]; count: number } {
  const memory = summed(start + packet.length + 40);
  memory.bytes.fill(0xee);
  memory.bytes.set(packet, start);
  const came: Uint8Array[] = [];
  const cutter = new Cutter(memory, (bytes, from, to) => came.push(bytes.slice(from, to)));
  const count = cutter.cut(header, start, start + packet.length);
  expect(memory.bytes.subarray(start + packet.length).every((byte) => byte === 0xee)).toBe(true);
  return { came, count };
}

const bodyOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
const u16 = (packet: Uint8Array, at: number): number => (packet[at]! << 8) | packet[at + 1]!;
const u32 = (packet: Uint8Array, at: number): number => u16(packet, at) * 0x1_0000 + u16(packet, at + 2);

describe.each([4, 6] as const)('IPv%i', (version) => {
  test.each([
    ['even', 1_400, 4_200, []],
    ['odd', 1_361, 10_000, timestamps],
    ['smaller than the headers', 7, 50, timestamps],
    ['one byte each', 1, 9, []],
    ['as long as can be', 1_361, 65_400, timestamps],
  ])('TCP, segments that are %s', (_, segmentBytes, length, options) => {
    const made: Made = { version, protocol: 6, body: bodyOf(length), options, sequence: 0xffff_f000, id: 0xfffe };
    const packet = packetOf({ ...made, flags: 0x10 | 0x09 | 0x80 | 0x40 }, true);
    const { came, count } = cut(packet, headerOf(packet, segmentBytes));
    expect(count).toBe(Math.ceil(length / segmentBytes));
    expect(came).toHaveLength(count);
    const inner = innerOf(packet);
    const head = inner + 20 + options.length;
    let offset = 0;
    for (const [i, one] of came.entries()) {
      expect(isSound(one)).toBe(true);
      expect(u32(one, inner + 4)).toBe((0xffff_f000 + offset) % 0x1_0000_0000);
      expect([...one.subarray(inner + 20, head)]).toEqual([...options]);
      expect(one.subarray(head)).toEqual(made.body.subarray(offset, offset + segmentBytes));
      if (version === 4) expect(u16(one, 4)).toBe((0xfffe + i) & 0xffff);
      // FIN and PSH with the last byte, CWR once (RFC 3168), the others with all.
      const ends = i === count - 1 ? 0x09 : 0;
      expect(one[inner + 13]).toBe(0x50 | ends | (i === 0 ? 0x80 : 0));
      offset += segmentBytes;
    }
  });

  test('UDP: datagrams of one size, the last shorter', () => {
    const packet = packetOf({ version, protocol: 17, body: bodyOf(3_001), id: 5 }, true);
    const { came } = cut(packet, headerOf(packet, 1_000));
    expect(came.map((one) => one.length - innerOf(one) - 8)).toEqual([1_000, 1_000, 1_000, 1]);
    expect(came.every((one) => isSound(one))).toBe(true);
    expect(Buffer.concat(came.map((one) => one.subarray(innerOf(one) + 8)))).toEqual(Buffer.from(bodyOf(3_001)));
  });

  test('a packet of the usual size gets its checksum', () => {
    for (const protocol of [6, 17] as const) {
      const packet = packetOf({ version, protocol, body: bodyOf(333) }, true);
      const { came } = cut(packet, { ...headerOf(packet, 0), kind: LongKind.none });
      expect(came).toEqual([packetOf({ version, protocol, body: bodyOf(333) })]);
    }
  });
});

test('a packet that is finished passes as it is', () => {
  const packet = packetOf({ version: 4, protocol: 17, body: bodyOf(20) });
  packet[27] = 99;
  expect(cut(packet, emptyVnetHeader()).came).toEqual([packet]);
});

test('a checksum of UDP that would be zero is the other zero (RFC 768)', () => {
  const body = Uint8Array.of(0, 0);
  for (let i = 0; i < 0x1_0000; i++) {
    body.set([i >> 8, i & 255]);
    const packet = packetOf({ version: 4, protocol: 17, body });
    if (u16(packet, 26) !== 0xffff) continue;
    const partial = packetOf({ version: 4, protocol: 17, body }, true);
    expect(u16(cut(partial, { ...headerOf(partial, 0), kind: LongKind.none }).came[0]!, 26)).toBe(0xffff);
    return;
  }
  expect.unreachable();
});

test.each<[string, Partial<VnetHeader>, (packet: Uint8Array) => void]>([
  ['no size of segments', { segmentBytes: 0 }, () => {}],
  ['another family', { kind: LongKind.tcp6 }, () => {}],
  ['a kind nobody asked for', { kind: 3 }, () => {}],
  ['no checksum left to us', { needsChecksum: false }, () => {}],
  ['a checksum elsewhere', { checksumAt: 20 }, () => {}],
  ['headers elsewhere', { checksumFrom: 24 }, () => {}],
  ['a TCP header that is too short', {}, (packet) => packet.fill(0x40, 32, 33)],
  ['a TCP header beyond the end', {}, (packet) => packet.fill(0xf0, 32, 33)],
  ['an IP header that is too short', {}, (packet) => packet.fill(0x44, 0, 1)],
  ['another protocol', {}, (packet) => packet.fill(47, 9, 10)],
])('%s: nothing is taken', (_, change, harm) => {
  const packet = packetOf({ version: 4, protocol: 6, body: bodyOf(30) }, true);
  const header = { ...headerOf(packet, 10), ...change };
  harm(packet);
  expect(cut(packet, header)).toEqual({ came: [], count: 0 });
});

test('any bytes under any header: no packet is longer than what there was, and memory beyond is untouched', () => {
  const anyHeader = fc.record({
    needsChecksum: fc.boolean(),
    kind: fc.constantFrom(0, 1, 3, 4, 5, 9),
    headBytes: fc.nat(0xffff),
    segmentBytes: fc.nat(300),
    checksumFrom: fc.oneof(fc.constantFrom(0, 20, 40), fc.nat(0xffff)),
    checksumAt: fc.constantFrom(6, 16, 999),
  });
  fc.assert(
    fc.property(
      anyHeader,
      fc.constantFrom(0x45, 0x60, 0x4f, 0x00),
      fc.uint8Array({ maxLength: 400 }),
      (header, first, bytes) => {
        if (bytes.length > 0) bytes[0] = first;
        const { came, count } = cut(bytes, header);
        expect(came).toHaveLength(count);
        for (const one of came) expect(one.length).toBeLessThanOrEqual(bytes.length);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('the header is written as it is read', () => {
  const header = { needsChecksum: true, kind: 5, headBytes: 28, segmentBytes: 1_400, checksumFrom: 20, checksumAt: 6 };
  const bytes = new Uint8Array(12);
  writeVnetHeader(bytes, 1, header);
  // As Linux lays it out on little-endian machines.
  expect([...bytes]).toEqual([0, 1, 5, 28, 0, 0x78, 0x05, 20, 0, 6, 0, 0]);
  const read = emptyVnetHeader();
  bytes[2] = 0x85;
  readVnetHeader(bytes, 1, read);
  expect(read).toEqual(header);
});
