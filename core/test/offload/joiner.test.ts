import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { Cutter } from '../../src/offload/cutter.ts';
import { Joiner, joinerBytes } from '../../src/offload/joiner.ts';
import { emptyVnetHeader, readVnetHeader, vnetHeaderBytes } from '../../src/offload/vnet-header.ts';
import { finish, innerOf, isSound, type Made, packetOf, summed } from './ip-packet.ts';

const memory = summed(joinerBytes);
const zeros = { needsChecksum: false, kind: 0, headBytes: 0, segmentBytes: 0, checksumFrom: 0, checksumAt: 0 };

/** What comes out: a packet as it was, or a long one with its header. */
interface Out {
  readonly kind: number;
  readonly segmentBytes: number;
  readonly packet: Uint8Array;
}

/** Joins packets, and cuts what comes out as whoever forwards it does. */
function joined(packets: readonly Uint8Array[], udp = true): { out: Out[]; packets: Uint8Array[] } {
  const out: Out[] = [];
  const cut: Uint8Array[] = [];
  const joiner = new Joiner(memory, udp, (start, length) => {
    const header = emptyVnetHeader();
    readVnetHeader(memory.bytes, start, header);
    const packet = memory.bytes.slice(start + vnetHeaderBytes, start + length);
    out.push({ kind: header.kind, segmentBytes: header.segmentBytes, packet });
    const scratch = summed(packet.length);
    scratch.bytes.set(packet);
    const cutter = new Cutter(scratch, (bytes, from, to) => cut.push(bytes.slice(from, to)));
    expect(cutter.cut(header, 0, packet.length)).toBeGreaterThan(0);
  });
  for (const packet of packets) {
    const away = Uint8Array.of(1, 2, 3, ...packet, 4);
    if (joiner.offer(away, 3, packet.length)) {
      away.fill(0xdd);
      continue;
    }
    out.push({ kind: zeros.kind, segmentBytes: 0, packet });
    cut.push(packet);
  }
  joiner.flush();
  return { out, packets: cut };
}

const body = (length: number, salt = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + salt) & 255);

/** A train of TCP's: each packet where the one before ends. */
function train(sizes: readonly number[], made: Partial<Made> = {}): Uint8Array[] {
  let sequence = 0xffff_fff0;
  return sizes.map((size, i) => {
    const at = sequence;
    sequence = (sequence + size) % 0x1_0000_0000;
    return packetOf({ version: 4, protocol: 6, sequence: at, id: 9 + i, body: body(size, i), ...made });
  });
}

const counts = ({ out }: { out: Out[] }): number[] =>
  out.map(({ segmentBytes, packet }) =>
    segmentBytes === 0 ? 1 : Math.ceil((packet.length - headOf(packet)) / segmentBytes),
  );
const headOf = (packet: Uint8Array): number => {
  const inner = innerOf(packet);
  return packet[packet[0]! >> 4 === 4 ? 9 : 6] === 6 ? inner + (packet[inner + 12]! >> 4) * 4 : inner + 8;
};

test.each([4, 6] as const)('IPv%i: a train becomes one packet, and that one the train again', (version) => {
  const packets = train([1_361, 1_361, 1_361, 1_361, 77], { version });
  const result = joined(packets);
  expect(counts(result)).toEqual([5]);
  expect(result.out[0]!.segmentBytes).toBe(1_361);
  expect(result.packets).toEqual(packets);
});

test('IPv6 and UDP: datagrams of one size, ended by a shorter one, never above one size or 64', () => {
  for (const version of [4, 6] as const) {
    const datagrams = [500, 500, 500, 100, 500, 501].map((size, i) =>
      packetOf({ version, protocol: 17, body: body(size, i), id: i }),
    );
    const result = joined(datagrams);
    expect(counts(result)).toEqual([4, 1, 1]);
    expect(result.packets).toEqual(datagrams);
    expect(counts(joined(datagrams, false))).toEqual([1, 1, 1, 1, 1, 1]);
    const many = Array.from({ length: 70 }, (_, i) => packetOf({ version, protocol: 17, body: body(90, i), id: i }));
    expect(counts(joined(many))).toEqual([64, 6]);
  }
});

test('a push ends a train at once, and comes back on its last packet', () => {
  const packets = train([800, 800, 800, 800]);
  packets[2]![33] = 0x18;
  finish(packets[2]!);
  const result = joined(packets);
  expect(counts(result)).toEqual([3, 1]);
  expect(result.packets).toEqual(packets);
});

test('no long packet is longer than IP can say', () => {
  const result = joined(train(Array.from({ length: 60 }, () => 1_440)));
  expect(counts(result)).toEqual([45, 15]);
});

const second = (change: Partial<Made>): Uint8Array =>
  packetOf({ version: 4, protocol: 6, sequence: 601, id: 4, body: body(600), ...change });

test.each<[string, Uint8Array]>([
  ['a gap', second({ sequence: 602 })],
  ['a copy', second({ sequence: 1 })],
  ['another acknowledgement', second({ ack: 78 })],
  ['another window', second({ window: 501 })],
  ['another option', second({ options: [1, 1, 1, 1] })],
  ['SYN', second({ flags: 0x12 })],
  ['RST', second({ flags: 0x14 })],
  ['URG', second({ flags: 0x30 })],
  ['CWR', second({ flags: 0x90 })],
  ['ECE of one only', second({ flags: 0x50 })],
  ['no ACK', second({ flags: 0x00 })],
  ['a mark', second({ dscp: 46 })],
  ['another time to live', second({ ttl: 63 })],
  ['a longer one', second({ body: body(601) })],
  ['nothing carried', second({ body: body(0) })],
  ['numbers that count and do not count on', second({ whole: false, id: 6 })],
  ['a flow of another port', second({ from: 1_001 })],
  ['a flow to another host', second({ host: 3 })],
])('%s is not joined', (_, packet) => {
  const first = packetOf({
    version: 4,
    protocol: 6,
    sequence: 1,
    id: 3,
    body: body(600),
    whole: (packet[6]! & 0x40) !== 0,
  });
  const result = joined([first, packet]);
  expect(counts(result)).toEqual([1, 1]);
  expect(result.packets.map((one) => Buffer.from(one).toString('hex')).toSorted()).toEqual(
    [first, packet].map((one) => Buffer.from(one).toString('hex')).toSorted(),
  );
});

test.each([0, 1])('a wrong checksum is not mended: packet %i of two', (which) => {
  const packets = train([700, 700]);
  packets[which]![60]! ^= 1;
  const result = joined(packets);
  expect(counts(result)).toEqual([1, 1]);
  expect(result.packets).toEqual(packets);
  expect(isSound(result.packets[which]!)).toBe(false);
});

test('UDP without a checksum stays so', () => {
  const datagrams = [1, 2].map((i) => packetOf({ version: 4, protocol: 17, body: body(300, i) }));
  for (const datagram of datagrams) datagram.fill(0, 26, 28);
  expect(joined(datagrams).packets).toEqual(datagrams);
});

test('fragments, IP options and other protocols pass behind what came before', () => {
  const fragment = train([600])[0]!;
  fragment[6] = 0x20;
  const strange = train([600])[0]!;
  strange[9] = 50;
  const packets = [...train([600, 600]), fragment, strange];
  const result = joined(packets);
  expect(counts(result)).toEqual([2, 1, 1]);
  expect(result.packets).toEqual(packets);
});

test('more flows than are held at once', () => {
  const flows = Array.from({ length: 20 }, (_, flow) => train([600, 600, 600], { from: 2_000 + flow }));
  const byTurns = [0, 1, 2].flatMap((i) => flows.map((flow) => flow[i]!));
  expect(joined(byTurns).packets).toHaveLength(60);
  expect(counts(joined(flows.flat()))).toEqual(flows.map(() => 3));
});

/** Some of what a peer may send: mostly trains, of a few flows mixed, with harm done to some. */
function drawPackets(prng: Prng): Uint8Array[] {
  const flows = Array.from({ length: 1 + below(prng, 4) }, (_, flow) => {
    const version = below(prng, 2) === 0 ? 4 : 6;
    const size = 1 + below(prng, 300);
    const whole = below(prng, 2) === 0;
    const options = below(prng, 2) === 0 ? [] : [1, 1, 1, 1];
    return below(prng, 3) > 0
      ? train(
          Array.from({ length: 8 }, () => (below(prng, 6) === 0 ? 1 + below(prng, size) : size)),
          { version, from: flow, whole, options },
        )
      : Array.from({ length: 8 }, (_packet, i) =>
          packetOf({ version, protocol: 17, from: flow, id: i, whole, body: body(size, i) }),
        );
  });
  const packets: Uint8Array[] = [];
  for (let i = 0; i < 40; i++) {
    const next = flows[below(prng, flows.length)]!.shift();
    if (next) packets.push(below(prng, 8) === 0 ? harmed(next, prng) : next);
  }
  return packets;
}

const below = (prng: Prng, count: number): number => prng.int(0, count - 1);

function harmed(packet: Uint8Array, prng: Prng): Uint8Array {
  const copy = packet.slice(0, below(prng, 4) === 0 ? below(prng, packet.length) : packet.length);
  for (let i = below(prng, 3); i > 0 && copy.length > 0; i--) {
    copy[below(prng, Math.min(copy.length, 70))] = below(prng, 256);
  }
  if (below(prng, 2) === 0 && copy.length > 80) finish(copy);
  return copy;
}

/** As it is compared: numbers that nobody needs may have changed (RFC 6864). */
function essence(packet: Uint8Array): string {
  const copy = packet.slice();
  if (copy.length >= 20 && copy[0]! >> 4 === 4 && (copy[6]! & 0x40) !== 0) copy.fill(0, 4, 6).fill(0, 10, 12);
  return Buffer.from(copy).toString('hex');
}

/** Family, protocol, addresses and ports. */
function flowOf(packet: Uint8Array): string {
  const four = (packet[0] ?? 0) >> 4 === 4;
  const ends = four ? packet.subarray(12, 24) : packet.subarray(8, 44);
  return `${packet[0]} ${packet[four ? 9 : 6]} ${Buffer.from(ends).toString('hex')}`;
}

test('whatever comes: cut again it is what came, and each flow in its order', () => {
  for (let seed = 1; seed <= 1_500; seed++) {
    const packets = drawPackets(new Prng(seed));
    const result = joined(packets);
    expect(result.packets.map((one) => essence(one)).toSorted(), `seed ${seed}`).toEqual(
      packets.map((one) => essence(one)).toSorted(),
    );
    for (const flow of new Set(packets.map((one) => flowOf(one)))) {
      const order = (some: readonly Uint8Array[]): string[] =>
        some.filter((one) => flowOf(one) === flow).map((one) => essence(one));
      expect(order(result.packets), `seed ${seed}, flow ${flow}`).toEqual(order(packets));
    }
  }
});
