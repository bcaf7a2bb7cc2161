import { expect, test } from 'vitest';

import { udpFigures } from '../../src/step/udp.ts';

const said = (sum: object, outOfOrder = 0): string =>
  JSON.stringify({ end: { sum, streams: [{ udp: { out_of_order: outOfOrder } }] } });

test('what came of a flow, from iperf3’s report', () => {
  const sum = { seconds: 10, packets: 1_000, lost_packets: 50, jitter_ms: 0.25 };
  expect(udpFigures(said(sum, 19), 1_200_000, 1_250)).toEqual({
    sent: 1_000,
    delivered: 0.95,
    outOfOrder: 0.02,
    offeredBitsPerSecond: 1_200_000,
    goodputBitsPerSecond: 950_000,
    jitterMs: 0.25,
  });
  const nothing = { seconds: 10, packets: 0, lost_packets: 0, jitter_ms: 0 };
  expect(udpFigures(said(nothing), 1, 1_250)).toMatchObject({ delivered: 0, outOfOrder: 0, goodputBitsPerSecond: 0 });
});

test.each(['', 'iperf3: error', '{"error": "unable to connect"}'])('what is no report is told: %j', (text) => {
  expect(() => udpFigures(text, 1, 1)).toThrow('iperf3 told of no flow');
});
