import type { DaemonStatus } from '@tresse/schema';
import { expect, test } from 'vitest';

import { statusText } from '../src/index.ts';
import { showAge, showDelay, showRate, showSize } from '../src/quantity.ts';

const path = {
  path: 1,
  state: 'up',
  rttMs: 31.2,
  minRttMs: 30.1,
  rateDownBps: 7.9e6,
  rateUpBps: 120_000,
  estimateBps: 1e6,
  bytesIn: 12_345_678,
  bytesOut: 1000,
  suspicions: 0,
  strands: [{ strand: 1, role: 'quick', state: 'answered', rttMs: 30, bytesIn: 1, bytesOut: 1 }],
};

const box: DaemonStatus = {
  kind: 'box',
  version: '0.1.0',
  pin: 'PIN',
  uptimeS: 3725,
  summary: 'bonding over 1 of 2 lines',
  uplinks: [
    {
      name: 'dsl',
      interface: 'wan1',
      kind: 'adsl',
      verdict: 'up',
      reason: 'the relay answers',
      address: '10.0.1.2',
      gateway: '10.0.1.1',
      direct: true,
      path,
    },
    { name: 'fibre', interface: 'wan2', kind: 'fibre', verdict: 'down', reason: 'no carrier on wan2', direct: false },
  ],
  sessions: [{ peer: 'R', streams: 1, paths: [path], counters: { chunksHedged: 1234, 'ack.late': 0 } }],
  counters: { 'loop.faults': 1 },
  warnings: ["this machine's clock is 90 s behind the relay's"],
};

test('a box tells its lines, their verdicts and what was counted in words', () => {
  expect(statusText(box)).toMatchInlineSnapshot(`
    "Tresse box 0.1.0, running for 1 h 2 min: bonding over 1 of 2 lines.
    Pin: PIN
    Warning: this machine's clock is 90 s behind the relay's.

    UPLINK  INTERFACE  ADDRESS   VERDICT  RTT    MIN    DOWN        UP          CARRIED  STRANDS  WHY
    dsl     wan1       10.0.1.2  up       31 ms  30 ms  7.9 Mbit/s  120 kbit/s  12 MB    1        the relay answers; what is not TCP leaves here
    fibre   wan2       -         down     -      -      -           -           -        -        no carrier on wan2

    1 stream open

    Counted since the start:
      loop: faults   1
      chunks hedged  1,234
    "
  `);
});

test('a relay tells its boxes', () => {
  const relay: DaemonStatus = {
    ...box,
    kind: 'relay',
    uplinks: [],
    counters: {},
    warnings: [],
    sessions: [{ peer: 'home', streams: 0, paths: [path], counters: {} }],
    summary: '1 of 1 boxes connected',
  };
  expect(statusText(relay)).toMatchInlineSnapshot(`
    "Tresse relay 0.1.0, running for 1 h 2 min: 1 of 1 boxes connected.
    Pin: PIN

    Box home: 0 streams open
    PATH  STATE  RTT    MIN    DOWN        UP          CARRIED  STRANDS
    1     up     31 ms  30 ms  7.9 Mbit/s  120 kbit/s  12 MB    1
    "
  `);
});

test('quantities as people say them', () => {
  expect([0, 999, 1500, 12_345_678].map(showRate)).toEqual(['0 bit/s', '999 bit/s', '1.5 kbit/s', '12 Mbit/s']);
  expect([0, 1500, 2e9].map(showSize)).toEqual(['0 B', '1.5 kB', '2.0 GB']);
  expect([0, 0.25, 31.4].map(showDelay)).toEqual(['-', '0.3 ms', '31 ms']);
  expect([0, 59, 61, 90_000].map(showAge)).toEqual(['0 s', '59 s', '1 min 1 s', '1 d 1 h']);
});
