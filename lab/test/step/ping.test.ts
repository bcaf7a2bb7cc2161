import { expect, test } from 'vitest';

import { pingFigures } from '../../src/step/ping.ts';

test('reads what ping sums up', () => {
  const text = `PING 198.51.100.10 (198.51.100.10) 56(84) bytes of data.

--- 198.51.100.10 ping statistics ---
5 packets transmitted, 4 received, 20% packet loss, time 804ms
rtt min/avg/max/mdev = 36.191/36.5/37.241/0.383 ms
`;
  expect(pingFigures(text, 5)).toEqual({ sent: 5, received: 4, rttMsMin: 36.191, rttMsMean: 36.5, rttMsMax: 37.241 });
});

test('no answer at all, and no ping at all, is nothing received', () => {
  expect(pingFigures('5 packets transmitted, 0 received, 100% packet loss', 5)).toMatchObject({
    received: 0,
    rttMsMax: 0,
  });
  expect(pingFigures('', 5)).toMatchObject({ sent: 5, received: 0 });
});
