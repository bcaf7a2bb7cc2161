import { expect, test } from 'vitest';

import { pingFigures } from '../../src/step/ping.ts';

const answer = (number: number): string => `64 bytes from 198.51.100.10: icmp_seq=${number} ttl=61 time=36.2 ms\n`;

test('reads what ping sums up', () => {
  const text = `PING 198.51.100.10 (198.51.100.10) 56(84) bytes of data.
${[1, 2, 4, 5].map(answer).join('')}
--- 198.51.100.10 ping statistics ---
5 packets transmitted, 4 received, 20% packet loss, time 804ms
rtt min/avg/max/mdev = 36.191/36.5/37.241/0.383 ms
`;
  expect(pingFigures(text, 5, 200)).toEqual({
    sent: 5,
    received: 4,
    rttMsMin: 36.191,
    rttMsMean: 36.5,
    rttMsMax: 37.241,
    unansweredMsMax: 200,
  });
});

test('an answer that came twice, or late, is one answer; the longest silence may be at the end', () => {
  const text = [1, 2, 2, 5, 4].map(answer).join('').replace('time=36.2 ms\n', 'time=36.2 ms (DUP!)\n');
  expect(pingFigures(text, 8, 50)).toMatchObject({ received: 4, unansweredMsMax: 150 });
});

test('errors of routers on the way are no answers', () => {
  const text = 'From 10.0.1.1 icmp_seq=1 Time to live exceeded\n';
  expect(pingFigures(text, 1, 50)).toMatchObject({ received: 0, unansweredMsMax: 50 });
});

test('no answer at all, and no ping at all, is nothing received', () => {
  expect(pingFigures('5 packets transmitted, 0 received, 100% packet loss', 5, 200)).toMatchObject({
    received: 0,
    rttMsMax: 0,
  });
  expect(pingFigures('', 5, 200)).toMatchObject({ sent: 5, received: 0 });
});
