import { expect, test } from 'vitest';

import { udpFigures } from '../../src/step/udp.ts';

const said = (sum: object, outOfOrder = 0, intervals: object[] = []): string =>
  JSON.stringify({
    end: { sum, streams: [{ udp: { out_of_order: outOfOrder } }] },
    intervals: intervals.map((one) => ({ sum: one })),
  });
const whole = { seconds: 10, packets: 1_000, lost_packets: 50, jitter_ms: 0.25 };

test('what came of a flow, from iperf3’s report', () => {
  expect(udpFigures(said(whole, 19), { rateBps: 1_200_000, packet: 1_250, settledFrom: 2 })).toEqual({
    sent: 1_000,
    delivered: 0.95,
    outOfOrder: 0.02,
    offeredBitsPerSecond: 1_200_000,
    goodputBitsPerSecond: 950_000,
    jitterMs: 0.25,
    settled: null,
  });
  const nothing = { seconds: 10, packets: 0, lost_packets: 0, jitter_ms: 0 };
  const flow = { rateBps: 1, packet: 1_250, settledFrom: 2 };
  expect(udpFigures(said(nothing), flow)).toMatchObject({ delivered: 0, outOfOrder: 0, goodputBitsPerSecond: 0 });
});

function second(start: number, lost: number, packets = 100): object {
  return { start, end: start + 1, packets, lost_packets: lost };
}

function settled(...intervals: object[]): number | null {
  return udpFigures(said(whole, 0, intervals), { rateBps: 1, packet: 1, settledFrom: 2.5 }).settled;
}

test('what came once the flow had settled: of whole seconds only, and nothing where one of them is silent', () => {
  expect(settled(second(0, 9), second(1, 9), second(2, 90), second(3, 10), second(4, 2))).toBe(0.94);
  expect(settled(second(3, 0), { start: 4, end: 4.02, packets: 2, lost_packets: 2 })).toBe(1);
  expect(settled(second(3, 0), second(4, 0, 0))).toBe(0);
  expect(settled(second(0, 0))).toBeNull();
});

test.each(['', 'iperf3: error', '{"error": "unable to connect"}'])('what is no report is told: %j', (text) => {
  expect(() => udpFigures(text, { rateBps: 1, packet: 1, settledFrom: 2 })).toThrow('iperf3 told of no flow');
});
