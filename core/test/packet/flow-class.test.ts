import { describe, expect, test } from 'vitest';

import { PacketClass } from '../../src/packet/datagram.ts';
import { FlowClass } from '../../src/packet/flow-class.ts';
import { type InnerPacket } from '../../src/packet/inner-packet.ts';

const udp: InnerPacket = { hash: 1, protocol: 17, from: 40_000, to: 50_000, dscp: 0, payload: 28 };

/** A second and more of a flow: packets of a size, so many a second, in one direction or both. Returns its class. */
function run(
  flow: FlowClass,
  packet: InnerPacket,
  bytes: number,
  perSecond: number,
  both: boolean,
  fromMs = 0,
): PacketClass {
  for (let ms = fromMs; ms < fromMs + 1_500; ms += 1_000 / perSecond) {
    flow.sent(packet, bytes, ms);
    if (both) flow.received(bytes, ms + 1);
  }
  return flow.sent(packet, bytes, fromMs + 1_500);
}

test('a new flow is interactive, unless it is marked', () => {
  expect(new FlowClass(udp).class).toBe(PacketClass.interactive);
  expect(new FlowClass({ ...udp, dscp: 46 }).class).toBe(PacketClass.realtime);
  expect(new FlowClass({ ...udp, dscp: 8 }).class).toBe(PacketClass.bulk);
});

test('what a rule says stands, whatever the flow does', () => {
  expect(run(new FlowClass(udp, PacketClass.interactive), udp, 1_400, 1_000, false)).toBe(PacketClass.interactive);
  expect(run(new FlowClass({ ...udp, dscp: 46 }, PacketClass.bulk), udp, 172, 50, true)).toBe(PacketClass.bulk);
});

describe('by what it does', () => {
  test.each([
    ['a call', 172, 50, true, PacketClass.realtime],
    ['a game', 90, 30, true, PacketClass.realtime],
    ['small packets one way only', 172, 50, false, PacketClass.interactive],
    ['a packet now and then', 120, 3, true, PacketClass.interactive],
    ['large ones, few', 1_200, 40, true, PacketClass.interactive],
    ['a transfer', 1_400, 500, false, PacketClass.bulk],
    ['a flood of small ones', 100, 5_000, true, PacketClass.interactive],
  ] as const)('%s', (_, bytes, perSecond, both, expected) => {
    expect(run(new FlowClass(udp), udp, bytes, perSecond, both)).toBe(expected);
  });
});

test('questions of names are no call, however steady', () => {
  const dns = { ...udp, to: 53 };
  expect(run(new FlowClass(dns), dns, 80, 50, true)).toBe(PacketClass.interactive);
});

test('TCP is never taken for a call', () => {
  const tcp = { ...udp, protocol: 6 };
  expect(run(new FlowClass(tcp), tcp, 100, 50, true)).toBe(PacketClass.interactive);
});

test('a flow changes with what it does', () => {
  const flow = new FlowClass(udp);
  expect(run(flow, udp, 1_400, 500, false)).toBe(PacketClass.bulk);
  // Less, but still a transfer.
  expect(run(flow, udp, 1_400, 40, false, 1_501)).toBe(PacketClass.bulk);
  expect(run(flow, udp, 172, 50, true, 5_000)).toBe(PacketClass.realtime);
  expect(flow.sent(udp, 172, 20_000)).toBe(PacketClass.interactive);
});

test('full packets that stand in a queue are a transfer’s, be they few; small ones, and ruled ones, are not', () => {
  const slow = new FlowClass(udp);
  expect(run(slow, udp, 1_400, 60, false)).toBe(PacketClass.interactive);
  slow.stood();
  expect(run(slow, udp, 1_400, 60, false, 2_000)).toBe(PacketClass.bulk);
  const small = new FlowClass(udp);
  run(small, udp, 300, 200, false);
  small.stood();
  expect(small.class).toBe(PacketClass.interactive);
  const ruled = new FlowClass(udp, PacketClass.interactive);
  run(ruled, udp, 1_400, 60, false);
  ruled.stood();
  expect(ruled.class).toBe(PacketClass.interactive);
});
