import { expect, test } from 'vitest';

import {
  bodyKind,
  BodyKind,
  datagramHeaderBytes,
  type DatagramHeader,
  sealCounterOf,
  PacketClass,
  packetNumberMax,
  type PacketPrefix,
  packetPrefixBytes,
  readDatagramHeader,
  readPacketPrefix,
  writeDatagramHeader,
  writePacketPrefix,
} from '../../src/packet/datagram.ts';

const none = (): DatagramHeader => ({ path: 0, key: 0, session: 0, number: 0 });
const noPrefix = (): PacketPrefix => ({ class: PacketClass.bulk, ordered: false, bucket: 0, sequence: 0 });

test('a header comes back as it went', () => {
  const bytes = new Uint8Array(64).fill(0xff);
  const header = { path: 255, key: 65_535, session: 0xdead_beef, number: packetNumberMax - 1 };
  writeDatagramHeader(bytes, 3, header);
  const read = none();
  expect(readDatagramHeader(bytes, 3, 61, read)).toBe(true);
  expect(read).toEqual(header);
  expect(bytes[2]).toBe(0xff);
  expect(bytes[3 + datagramHeaderBytes]).toBe(0xff);
});

test('what is no datagram of ours is refused', () => {
  const bytes = new Uint8Array(64);
  writeDatagramHeader(bytes, 0, { path: 1, key: 1, session: 1, number: 1 });
  expect(readDatagramHeader(bytes, 0, 33, none())).toBe(true);
  expect(readDatagramHeader(bytes, 0, 32, none())).toBe(false);
  for (const [at, value, ours] of [
    [0, 0x50, false],
    [0, 0x54, false],
    [1, 0, false],
    [8, 0x20, false],
    [9, 0x20, false],
    [10, 0x20, false],
    [10, 0x1f, true],
  ] as const) {
    const other = bytes.slice();
    other[at] = value;
    expect(readDatagramHeader(other, 0, 64, none())).toBe(ours);
  }
});

test('no two datagrams under one key have one nonce', () => {
  expect(sealCounterOf(1, packetNumberMax - 1)).toBeLessThan(sealCounterOf(2, 0));
  expect(sealCounterOf(255, packetNumberMax - 1)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
});

test('a prefix comes back as it went, and none without a packet', () => {
  const bytes = new Uint8Array(32);
  for (const kind of Object.values(PacketClass)) {
    for (const ordered of [true, false]) {
      const prefix = { class: kind, ordered, bucket: 4_095, sequence: 0xffff_fffe };
      writePacketPrefix(bytes, 4, prefix);
      const read = noPrefix();
      expect(readPacketPrefix(bytes, 4, 32, read)).toBe(true);
      expect(read).toEqual(prefix);
      expect(bodyKind(bytes[4]!)).toBe(BodyKind.packet);
    }
  }
  expect(readPacketPrefix(bytes, 4, 4 + packetPrefixBytes, noPrefix())).toBe(false);
  bytes[4] = 3;
  expect(readPacketPrefix(bytes, 4, 32, noPrefix())).toBe(false);
});
