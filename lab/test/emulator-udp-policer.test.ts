import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { UdpPolicer } from '../src/emulator/udp-policer.ts';

const udp = 17;
const tcp = 6;
const everyPort = [0, 0xffff] as const;
const nothing = { rateBps: 0, ports: everyPort };

interface Packet {
  readonly protocol?: number;
  readonly from?: number;
  readonly to?: number;
  readonly bytes?: number;
  /** In octets, from the packet's beginning. */
  readonly fragmentAt?: number;
}

/** An Ethernet frame with an IPv4 packet. */
function frame4({ protocol = udp, from = 40_000, to = 7_443, bytes = 1_000, fragmentAt = 0 }: Packet): Uint8Array {
  const octets = new Uint8Array(14 + bytes);
  const view = new DataView(octets.buffer);
  view.setUint16(12, 0x0800);
  // A header with options: ports do not stand at a fixed place.
  octets[14] = 0x46;
  view.setUint16(20, fragmentAt / 8);
  octets[23] = protocol;
  view.setUint16(38, from);
  view.setUint16(40, to);
  return octets;
}

/** An Ethernet frame with an IPv6 packet, in a fragment header where it is a fragment. */
function frame6({ protocol = udp, from = 40_000, to = 7_443, bytes = 1_000, fragmentAt }: Packet): Uint8Array {
  const octets = new Uint8Array(14 + bytes);
  const view = new DataView(octets.buffer);
  view.setUint16(12, 0x86dd);
  octets[20] = fragmentAt === undefined ? protocol : 44;
  const transport = fragmentAt === undefined ? 54 : 62;
  if (fragmentAt !== undefined) {
    octets[54] = protocol;
    view.setUint16(56, fragmentAt);
  }
  view.setUint16(transport, from);
  view.setUint16(transport + 2, to);
  return octets;
}

function passes(policer: UdpPolicer, octets: Uint8Array, nowMs = 0): boolean {
  // Frames do not begin at the beginning of memory.
  const memory = new Uint8Array(octets.length + 100);
  memory.set(octets, 100);
  return policer.passes(memory, 100, octets.length, nowMs);
}

describe.each([
  ['IPv4', frame4],
  ['IPv6', frame6],
])('%s', (_family, frame) => {
  test('where nothing passes, all UDP is dropped, fragments too, and nothing else', () => {
    const policer = new UdpPolicer(nothing, 'up');
    expect(passes(policer, frame({}))).toBe(false);
    expect(passes(policer, frame({ fragmentAt: 0 }))).toBe(false);
    expect(passes(policer, frame({ fragmentAt: 1_400 }))).toBe(false);
    expect(passes(policer, frame({ protocol: tcp }))).toBe(true);
    expect(passes(policer, frame({ protocol: tcp, fragmentAt: 1_400 }))).toBe(true);
  });

  test('ports are those of servers: the destination up, the source down', () => {
    const policy = { rateBps: 0, ports: [1_024, 0xffff] as const };
    const up = new UdpPolicer(policy, 'up');
    const down = new UdpPolicer(policy, 'down');
    expect(passes(up, frame({ to: 7_443 }))).toBe(false);
    expect(passes(up, frame({ to: 53 }))).toBe(true);
    expect(passes(down, frame({ from: 7_443, to: 40_000 }))).toBe(false);
    expect(passes(down, frame({ from: 53, to: 40_000 }))).toBe(true);
    expect(passes(up, frame({ to: 7_443, fragmentAt: 1_400 }))).toBe(true);
  });
});

test('what is neither IPv4 nor IPv6 passes, and what is too short for ports', () => {
  const policer = new UdpPolicer({ rateBps: 0, ports: [1, 0xffff] }, 'up');
  const arp = new Uint8Array(60);
  new DataView(arp.buffer).setUint16(12, 0x0806);
  expect(passes(policer, arp)).toBe(true);
  expect(passes(policer, frame4({}).subarray(0, 40))).toBe(true);
});

test('a rate is kept to over any time, and a burst forgiven', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 50_000, max: 20_000_000 }),
      fc.array(fc.tuple(fc.integer({ min: 46, max: 1_500 }), fc.double({ min: 0, max: 20, noNaN: true })), {
        maxLength: 300,
      }),
      (rateBps, packets) => {
        const policer = new UdpPolicer({ rateBps, ports: everyPort }, 'down');
        const burst = Math.max(15_000, (rateBps * 0.1) / 8);
        let nowMs = 5_000;
        let passed = 0;
        for (const [bytes, pauseMs] of packets) {
          nowMs += pauseMs;
          if (passes(policer, frame4({ bytes }), nowMs)) passed += bytes;
          expect(passed).toBeLessThanOrEqual(burst + (rateBps * (nowMs - 5_000)) / 8_000 + 1);
        }
      },
    ),
  );
});

test('what stays under the rate passes whole', () => {
  const policer = new UdpPolicer({ rateBps: 1_000_000, ports: everyPort }, 'down');
  // 1,000 bytes every 8 ms are 1 Mbit/s.
  for (let i = 0; i < 1_000; i++) expect(passes(policer, frame4({ bytes: 1_000 }), i * 8)).toBe(true);
});
