import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { type InnerPacket, readInnerPacket } from '../../src/packet/inner-packet.ts';
import { ipv4, ipv6 } from './ip.ts';

/** What is read of a packet that stands somewhere in a larger piece of memory. */
function read(packet: Uint8Array, seed = 1): InnerPacket | undefined {
  const bytes = new Uint8Array(packet.length + 20).fill(0xaa);
  bytes.set(packet, 7);
  const into = { hash: 0, protocol: 0, from: 0, to: 0, dscp: 0, payload: 0 };
  if (!readInnerPacket(bytes, 7, 7 + packet.length, seed, into)) return undefined;
  into.payload -= 7;
  return into;
}

test('ports, mark and payload of UDP and TCP', () => {
  expect(read(ipv4({ dscp: 46 }))).toMatchObject({ protocol: 17, from: 40_000, to: 443, dscp: 46, payload: 28 });
  expect(read(ipv4({ protocol: 6 }))).toMatchObject({ protocol: 6, from: 40_000, to: 443, dscp: 0, payload: 40 });
  expect(read(ipv4({ protocol: 1 }))).toMatchObject({ protocol: 1, from: 0, to: 0, payload: 20 });
  expect(read(ipv6(1, 2))).toMatchObject({ protocol: 17, from: 5_000, to: 6_000, payload: 48 });
});

test('a flow has one hash both ways, another flow another one', () => {
  const there = read(ipv4({}));
  const back = read(ipv4({ from: '198.51.100.7', to: '192.168.1.2', fromPort: 443, toPort: 40_000 }));
  expect(back?.hash).toBe(there?.hash);
  expect(read(ipv6(1, 2))?.hash).toBe(read(ipv6(2, 1))?.hash);
  for (const other of [{ toPort: 444 }, { fromPort: 40_001 }, { to: '198.51.100.8' }, { protocol: 6 }]) {
    expect(read(ipv4(other))?.hash).not.toBe(there?.hash);
  }
  expect(read(ipv4({}), 2)?.hash).not.toBe(there?.hash);
});

test('hashes spread over buckets', () => {
  const counts = new Map<number, number>();
  for (let port = 1_024; port < 1_024 + 16_384; port++) {
    const bucket = (read(ipv4({ fromPort: port }))?.hash ?? 0) % 4_096;
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  expect(counts.size).toBeGreaterThan(3_950);
  expect(Math.max(...counts.values())).toBeLessThan(20);
});

test('fragments stay together, whichever has the ports', () => {
  const first = read(ipv4({ fragment: 0x2000 }));
  const last = read(ipv4({ fragment: 0x00b9, fromPort: 9, toPort: 9 }));
  expect(first?.hash).toBe(last?.hash);
  expect(first).toMatchObject({ from: 0, to: 0 });
  expect(read(ipv6(1, 2, [44]))).toMatchObject({ protocol: 17, from: 0, to: 0 });
});

test('extension headers are passed over', () => {
  const packet = read(ipv6(1, 2, [0, 43, 60]));
  expect(packet).toMatchObject({ protocol: 17, from: 5_000, to: 6_000, payload: 72 });
  expect(packet?.hash).toBe(read(ipv6(1, 2))?.hash);
});

test('what is no whole packet is refused', () => {
  const good = ipv4({});
  expect(read(good.subarray(0, 99))).toBeUndefined();
  expect(read(good.subarray(0, 10))).toBeUndefined();
  expect(read(new Uint8Array(0))).toBeUndefined();
  for (const [at, value] of [
    [0, 0x44],
    [0, 0x75],
    [2, 9],
  ] as const) {
    const wrong = good.slice();
    wrong[at] = value;
    expect(read(wrong)).toBeUndefined();
  }
  const six = ipv6(1, 2, [0]);
  six[41] = 200;
  expect(read(six)).toBeUndefined();
});

test('random bytes harm nothing', () => {
  const prng = new Prng(3);
  for (let i = 0; i < 20_000; i++) {
    const packet = Uint8Array.from({ length: prng.int(0, 90) }, () => prng.int(0, 255));
    if (packet.length > 4 && i % 2 === 0) {
      packet[0] = prng.float() < 0.5 ? 0x45 : 0x60;
      const length = packet[0] === 0x45 ? packet.length : Math.max(0, packet.length - 40);
      packet[packet[0] === 0x45 ? 2 : 4] = length >> 8;
      packet[packet[0] === 0x45 ? 3 : 5] = length & 255;
    }
    const found = read(packet);
    if (found) expect(found.hash).toBeGreaterThanOrEqual(0);
  }
});
