import { Prng, type Slab } from '@tresse/kit';
import { expect, test } from 'vitest';

import { Path } from '../../src/line/path.ts';
import { BodyKind, PacketClass, packetPrefixBytes, writePacketPrefix } from '../../src/packet/datagram.ts';
import { PacketLane } from '../../src/packet/packet-lane.ts';
import { defaultPacketPolicy } from '../../src/packet/packet-sender.ts';
import { PacketSlots } from '../../src/packet/packet-slots.ts';
import { reportBytes, writeReport } from '../../src/packet/report.ts';
import { ipv4 } from './ip.ts';

const slab = (size: number): Slab => ({ bytes: new Uint8Array(size), address: 0 });
const out = slab(4_096);
const held = (bytes: Uint8Array): Slab => ({ bytes, address: 0 });

function lane(count = 2, policy = defaultPacketPolicy): { lane: PacketLane; paths: Map<number, Path>; came: number[] } {
  const paths = new Map(Array.from({ length: count }, (_, i) => [i + 1, new Path(i + 1)]));
  const came: number[] = [];
  const slots = new PacketSlots(64, slab);
  const deliver = (_: Slab, __: number, length: number): void => void came.push(length);
  return { lane: new PacketLane({ paths, slots, policy, deliver, seed: 5 }), paths, came };
}

/** The peer reports what came last on every path. */
function heard(paths: Map<number, Path>, nowMs: number): void {
  for (const { datagrams } of paths.values()) {
    const highest = datagrams.next - 1;
    datagrams.take({ path: 1, highest, arrivedUs: 0, waitedUs: 0, packets: 1, bytes: 0, largest: 1_452 }, nowMs);
  }
}

/** Every path is asked and answers. */
function answered(paths: Map<number, Path>, nowMs: number): void {
  for (const { datagrams } of paths.values()) datagrams.give(0, true, nowMs);
  heard(paths, nowMs);
}

/** What leaves now: kind and path of each. */
function poll(of: PacketLane, nowMs: number): [number, number][] {
  const left: [number, number][] = [];
  for (let next = of.poll(out, 0, nowMs); next; next = of.poll(out, 0, nowMs)) {
    left.push([(out.bytes[0] ?? 0) >> 4, next.path]);
  }
  return left;
}

test('every path is asked at first; when it has answered seldom; while packets leave, four times a second', () => {
  const { lane: one, paths } = lane();
  expect(poll(one, 0)).toEqual([
    [BodyKind.probe, 1],
    [BodyKind.probe, 2],
  ]);
  answered(paths, 0);
  expect(one.nextMs(0)).toBe(20_000);
  let probes = 0;
  for (let ms = 1_000; ms < 3_000; ms += 10) {
    const packet = ipv4({});
    heard(paths, ms);
    one.handleLocal(packet, 0, packet.length, ms);
    probes += poll(one, ms).filter(([kind]) => kind === BodyKind.probe).length;
  }
  expect(probes).toBeGreaterThan(6);
  expect(probes).toBeLessThanOrEqual(10);
});

test('a path that is not usable is neither asked nor used', () => {
  const { lane: one, paths } = lane();
  answered(paths, 0);
  paths.get(1)!.up = false;
  const packet = ipv4({});
  one.handleLocal(packet, 0, packet.length, 0);
  expect(poll(one, 0)).toEqual([[BodyKind.packet, 2]]);
});

test('a path that does not answer carries no packets, and is asked often at first, then every two seconds', () => {
  const { lane: one } = lane(1);
  const packet = ipv4({});
  one.handleLocal(packet, 0, packet.length, 0);
  let probes = 0;
  let early = 0;
  for (let ms = 0; ms < 60_000; ms += 10) {
    const left = poll(one, ms);
    expect(left.every(([kind]) => kind === BodyKind.probe)).toBe(true);
    probes += left.length;
    if (ms < 30_000) early += left.length;
  }
  expect(one.carries(60_000)).toBe(false);
  expect(early).toBeGreaterThanOrEqual(110);
  expect(early).toBeLessThanOrEqual(121);
  expect(probes - early).toBeLessThanOrEqual(16);
});

test('a path that is late carries nothing more once another one was heard, which is asked at once', () => {
  const { lane: one, paths } = lane();
  answered(paths, 0);
  const late = paths.get(1)!.datagrams;
  const other = paths.get(2)!.datagrams;
  late.give(100, true, 50);
  expect(poll(one, late.lateMs - 1)).toEqual([]);
  expect(poll(one, late.lateMs)).toEqual([[BodyKind.probe, 2]]);
  expect(late.answers(late.lateMs)).toBe(true);
  const heardMs = late.lateMs + 20;
  other.take(
    { path: 2, highest: other.next - 1, arrivedUs: 0, waitedUs: 0, packets: 2, bytes: 0, largest: 1_452 },
    heardMs,
  );
  poll(one, heardMs);
  expect(late.answers(heardMs)).toBe(false);
  expect(other.answers(heardMs)).toBe(true);
  heard(paths, heardMs + 50);
  expect(late.answers(heardMs + 50)).toBe(true);
});

test('a path falls silent when nothing is heard for a second of what left, and carries again at the first report', () => {
  const { lane: one, paths } = lane(1);
  answered(paths, 0);
  const packet = ipv4({});
  one.handleLocal(packet, 0, packet.length, 100);
  expect(poll(one, 100)).toContainEqual([BodyKind.packet, 1]);
  expect(one.carries(1_000)).toBe(true);
  expect(one.carries(1_200)).toBe(false);
  answered(paths, 1_300);
  expect(one.carries(1_300)).toBe(true);
});

test('a packet is delivered and reported, a copy of its datagram is not fresh', () => {
  const { lane: one, came } = lane();
  poll(one, 0);
  const packet = ipv4({ length: 300 });
  const body = new Uint8Array(packetPrefixBytes + 300);
  writePacketPrefix(body, 0, { class: PacketClass.interactive, ordered: false, bucket: 1, sequence: 9 });
  body.set(packet, packetPrefixBytes);
  expect(one.fresh(1, 0)).toBe(true);
  expect(one.handleDatagram(1, 0, held(body), 0, body.length, 10)).toBe(true);
  expect(one.fresh(1, 0)).toBe(false);
  expect(came).toEqual([300]);
  expect(poll(one, 10)).toEqual([[BodyKind.report, 1]]);
  expect(one.nextMs(10)).toBeGreaterThan(10);
});

test('a call whose line loses goes twice, on two lines, and is delivered once', () => {
  const { lane: one, paths } = lane();
  poll(one, 0);
  const flight = paths.get(1)!.datagrams;
  for (let i = 0; i < 100; i++) flight.give(100, false, i);
  flight.take({ path: 1, highest: 100, arrivedUs: 1, waitedUs: 0, packets: 60, bytes: 5_000, largest: 1_452 }, 150);
  expect(flight.lossRatio).toBeGreaterThan(0.01);
  const packet = ipv4({ dscp: 46, length: 200 });
  paths
    .get(2)!
    .datagrams.take({ path: 2, highest: 0, arrivedUs: 1, waitedUs: 0, packets: 1, bytes: 0, largest: 33 }, 900);
  one.handleLocal(packet, 0, packet.length, 1_000);
  const sent = poll(one, 1_000).filter(([kind]) => kind === BodyKind.packet);
  expect(sent.map(([, path]) => path).toSorted((a, b) => a - b)).toEqual([1, 2]);
  expect(one.copies).toBe(1);
});

/** Paths on which a marked packet leaves now. */
function marked(of: PacketLane, nowMs: number): number[] {
  const packet = ipv4({ dscp: 46, length: 200 });
  of.handleLocal(packet, 0, packet.length, nowMs);
  const left = poll(of, nowMs).filter(([kind]) => kind === BodyKind.packet);
  return left.map(([, path]) => path).toSorted((a, b) => a - b);
}

test('a call goes twice on a line that is being filled; always, or never, where that is wished', () => {
  const filled = lane();
  answered(filled.paths, 0);
  expect(marked(filled.lane, 1)).toHaveLength(1);
  for (const path of filled.paths.values()) path.datagrams.give(path.windowBytes(2) / 2, false, 2);
  expect(marked(filled.lane, 3)).toEqual([1, 2]);
  for (const [realtimeCopies, copies] of [
    ['never', 1],
    ['always', 2],
  ] as const) {
    const wished = lane(2, { bulk: 'earliest', realtimeCopies });
    answered(wished.paths, 0);
    if (realtimeCopies === 'never') for (const path of wished.paths.values()) path.datagrams.give(9_000, false, 0);
    expect(marked(wished.lane, 1)).toHaveLength(copies);
  }
});

test('bulk goes everywhere where that is wished', () => {
  const { lane: one, paths } = lane(3, { bulk: 'everywhere', realtimeCopies: 'auto' });
  answered(paths, 0);
  const packet = ipv4({ dscp: 8, length: 1_000 });
  one.handleLocal(packet, 0, packet.length, 1);
  expect(poll(one, 1).filter(([kind]) => kind === BodyKind.packet)).toHaveLength(3);
});

test('a path whose bytes cost carries only while no other does, and is seldom asked', () => {
  const { lane: one, paths } = lane();
  answered(paths, 0);
  const costly = paths.get(1)!;
  costly.metered = true;
  for (let ms = 10; ms < 20_000; ms += 10) {
    heard(paths, ms);
    expect(marked(one, ms)).toEqual([2]);
  }
  expect(costly.datagrams.next).toBeLessThan(4);
  paths.get(2)!.up = false;
  expect(marked(one, 20_000)).toEqual([1]);
});

test('bodies of any bytes are counted and dropped', () => {
  const { lane: one, came } = lane();
  poll(one, 0);
  const prng = new Prng(9);
  let number = 0;
  for (let i = 0; i < 20_000; i++) {
    const body = Uint8Array.from({ length: prng.int(1, 60) }, () => prng.int(0, 255));
    body[0] = prng.int(0, 3) << 4;
    one.handleDatagram(1 + (i % 2), number++, held(body), 0, body.length, i);
    poll(one, i);
    one.tick(i);
  }
  expect(one.malformed).toBeGreaterThan(1_000);
  expect(came.every((length) => length > 0 && length < 60)).toBe(true);
});

test('a report of what was never sent is refused', () => {
  const { lane: one, paths } = lane();
  poll(one, 0);
  const body = new Uint8Array(reportBytes);
  for (const report of [
    { path: 1, highest: 1, arrivedUs: 0, waitedUs: 0, packets: 2, bytes: 0, largest: 0 },
    { path: 1, highest: 0, arrivedUs: 0, waitedUs: 0, packets: 1, bytes: 99, largest: 0 },
    { path: 7, highest: 0, arrivedUs: 0, waitedUs: 0, packets: 1, bytes: 0, largest: 0 },
  ]) {
    writeReport(body, 0, report);
    one.handleDatagram(1, report.path + report.highest + report.bytes, held(body), 0, body.length, 5);
  }
  expect(one.malformed).toBe(3);
  expect(paths.get(1)!.datagrams.rttMs).toBe(0);
});

test('while the peer sends, and for a while after, every path is asked: a new address of ours is known at once', () => {
  const { lane: one, paths } = lane();
  answered(paths, 0);
  const body = new Uint8Array(packetPrefixBytes + 100);
  writePacketPrefix(body, 0, { class: PacketClass.bulk, ordered: false, bucket: 1, sequence: 9 });
  body.set(ipv4({}), packetPrefixBytes);
  one.handleDatagram(1, 0, held(body), 0, body.length, 100);
  const probes = (fromMs: number, untilMs: number): number => {
    let count = 0;
    for (let ms = fromMs; ms < untilMs; ms += 10) {
      count += poll(one, ms).filter(([kind, path]) => kind === BodyKind.probe && path === 1).length;
      heard(paths, ms);
    }
    return count;
  };
  expect(probes(110, 1_110)).toBe(4);
  expect(probes(1_110, 10_000)).toBeGreaterThan(30);
  expect(probes(11_000, 19_000)).toBe(0);
});
