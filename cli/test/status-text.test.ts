import { daemonStatus, type PathStatus, type UplinkStatus } from '@tresse/schema';
import { expect, test } from 'vitest';

import { statusText } from '../src/index.ts';
import { coloured, paintFor, plain } from '../src/paint.ts';
import { showAge, showDelay, showRate, showSize } from '../src/quantity.ts';
import { bareUplink, box, packetPath, published, relay, uplink } from './statuses.ts';

test('bonding over 2 of 3 lines: state first, then each line with its reason', () => {
  const text = statusText(
    box(
      'bonding over 2 of 3 lines',
      [
        uplink('dsl', { direct: true }),
        uplink('lte', { sinceS: 75 }),
        uplink('fibre', { verdict: 'down', reason: 'no answer from the relay; the cable is plugged', sinceS: 12 }),
      ],
      { warnings: ["this machine's clock is 90 s behind the relay's"] },
    ),
  );
  expect(text).toMatchInlineSnapshot(`
    "Bonding over 2 of 3 lines. (Tresse box, running for 1 h 2 min)
    Warning: This machine's clock is 90 s behind the relay's.

    LINE   STATE  FOR         DOWN        UP          RTT    WHY
    dsl    up     1 h 2 min   7.9 Mbit/s  120 kbit/s  31 ms  the relay answers
    lte    up     1 min 15 s  7.9 Mbit/s  120 kbit/s  31 ms  the relay answers
    fibre  down   12 s        -           -           -      no answer from the relay; the cable is plugged

    1 stream is open.
    What does not go through the relay leaves by dsl.
    "
  `);
});

/** A line, and what of UDP gets through there. */
function ofUdp(udp: PathStatus['udp']): UplinkStatus {
  const one = uplink('dsl');
  return one.path ? { ...one, path: { ...one.path, udp } } : one;
}

test('a line whose UDP does not get through says so', () => {
  expect(statusText(box('bonding', [ofUdp('blocked')]))).toMatch(/^dsl .*UDP is blocked there and goes by TCP$/mu);
  expect(statusText(box('bonding', [ofUdp('limited')]))).toMatch(/^dsl .*UDP is held down there and goes by TCP$/mu);
  expect(statusText(box('bonding', [ofUdp('open')]))).not.toContain('UDP');
});

test('every verdict has its word', () => {
  const text = statusText(
    box('bonding over 1 of 5 lines', [
      uplink('dsl'),
      uplink('lte', {
        verdict: 'degraded',
        reason: 'the relay does not answer here for the moment, and does on another line',
        sinceS: 1,
      }),
      bareUplink('fibre', { verdict: 'down', reason: 'no carrier on wan2', sinceS: 90_000 }),
      bareUplink('wifi', { verdict: 'captive', reason: 'a page wants a log-in', sinceS: 5 }),
      bareUplink('spare', { verdict: 'disabled', reason: 'switched off in box.yaml' }),
    ]),
  );
  expect(text).toMatchInlineSnapshot(`
    "Bonding over 1 of 5 lines. (Tresse box, running for 1 h 2 min)

    LINE   STATE     FOR        DOWN        UP          RTT    WHY
    dsl    up        1 h 2 min  7.9 Mbit/s  120 kbit/s  31 ms  the relay answers
    lte    degraded  1 s        7.9 Mbit/s  120 kbit/s  31 ms  the relay does not answer here for the moment, and does on another line
    fibre  down      1 d 1 h    -           -           -      no carrier on wan2
    wifi   captive   5 s        -           -           -      a page wants a log-in
    spare  disabled  1 h 2 min  -           -           -      switched off in box.yaml

    1 stream is open.
    What does not go through the relay cannot leave: no line can send.
    "
  `);
});

test('no relay known', () => {
  const text = statusText(
    box(
      'no relay is known: new connections leave directly by dsl',
      [bareUplink('dsl', { verdict: 'degraded', reason: 'no relay is known yet', direct: true })],
      { warnings: ['pair this box: "tresse relay pair" at the relay makes a code, "tresse box pair CODE" uses it'] },
    ),
  );
  expect(text).toMatchInlineSnapshot(`
    "No relay is known: new connections leave directly by dsl. (Tresse box, running for 1 h 2 min)
    Warning: Pair this box: "tresse relay pair" at the relay makes a code, "tresse box pair CODE" uses it.

    LINE  STATE     FOR        DOWN  UP  RTT  WHY
    dsl   degraded  1 h 2 min  -     -   -    no relay is known yet

    What does not go through the relay leaves by dsl.
    "
  `);
});

test('looking for the relay', () => {
  const lines = [
    bareUplink('dsl', { verdict: 'degraded', reason: 'the relay is not reached yet', sinceS: 0, direct: true }),
  ];
  expect(statusText(box('looking for the relay', lines, { uptimeS: 1 }))).toMatchInlineSnapshot(`
    "Looking for the relay. (Tresse box, running for 1 s)

    LINE  STATE     FOR  DOWN  UP  RTT  WHY
    dsl   degraded  0 s  -     -   -    the relay is not reached yet

    What does not go through the relay leaves by dsl.
    "
  `);
});

test('the relay is not reached: each line says why', () => {
  const text = statusText(
    box('looking for the relay', [
      bareUplink('dsl', {
        verdict: 'degraded',
        reason: '203.0.113.1:7443 refuses the connection: does a relay run there?',
      }),
      bareUplink('lte', { verdict: 'degraded', reason: '203.0.113.1:7443 does not answer', sinceS: 44 }),
      bareUplink('fibre', { verdict: 'down', reason: 'interface wan2 has no address yet', sinceS: 44 }),
    ]),
  );
  expect(text).toMatchInlineSnapshot(`
    "Looking for the relay. (Tresse box, running for 1 h 2 min)

    LINE   STATE     FOR        DOWN  UP  RTT  WHY
    dsl    degraded  1 h 2 min  -     -   -    203.0.113.1:7443 refuses the connection: does a relay run there?
    lte    degraded  44 s       -     -   -    203.0.113.1:7443 does not answer
    fibre  down      44 s       -     -   -    interface wan2 has no address yet

    What does not go through the relay cannot leave: no line can send.
    "
  `);
});

test('running direct without the relay', () => {
  const text = statusText(
    box('the relay is not reached: new connections leave directly by dsl', [
      bareUplink('dsl', { verdict: 'degraded', reason: '203.0.113.1:7443 does not answer', direct: true }),
    ]),
  );
  expect(text).toMatchInlineSnapshot(`
    "The relay is not reached: new connections leave directly by dsl. (Tresse box, running for 1 h 2 min)

    LINE  STATE     FOR        DOWN  UP  RTT  WHY
    dsl   degraded  1 h 2 min  -     -   -    203.0.113.1:7443 does not answer

    What does not go through the relay leaves by dsl.
    "
  `);
});

test('a relay tells its boxes', () => {
  expect(statusText(relay)).toMatchInlineSnapshot(`
    "1 of 2 boxes connected. (Tresse relay, running for 59 s)

    BOX   PATHS UP  STREAMS  DOWN       UP          RTT
    home  1 of 2    2        16 Mbit/s  240 kbit/s  31 ms
    "
  `);
  expect(statusText({ ...relay, sessions: [], summary: '0 of 0 boxes connected' })).toMatchInlineSnapshot(`
    "0 of 0 boxes connected. (Tresse relay, running for 59 s)
    "
  `);
});

test('details have addresses, paths and what was counted in words', () => {
  expect(statusText(box('bonding over 1 of 1 lines', [uplink('dsl')]), { details: true })).toMatchInlineSnapshot(`
    "Bonding over 1 of 1 lines. (Tresse box, running for 1 h 2 min)

    LINE  STATE  FOR        DOWN        UP          RTT    WHY
    dsl   up     1 h 2 min  7.9 Mbit/s  120 kbit/s  31 ms  the relay answers

    1 stream is open.
    What does not go through the relay cannot leave: no line can send.

    Version 0.1.0, pin PIN

    LINE  KIND  INTERFACE  ADDRESS   GATEWAY
    dsl   adsl  wan1       10.0.1.2  10.0.1.1

    PATH  LINE  STATE  MIN RTT  CARRIED  SUSPECTED  STRANDS
    1     dsl   up     30 ms    12 MB    0          1 quick, 2 bulk

    Counted since the start:
      loop: faults   1
      chunks hedged  1,234
    "
  `);
});

const idle = {
  rttMs: 0,
  queueMs: 0,
  deliveryBps: 0,
  datagramBytesMax: 1_200,
  bytesOut: { realtime: 0, interactive: 0, bulk: 0 },
};
const packets = {
  waiting: { realtime: 0, interactive: 300, bulk: 120_000 },
  held: 5,
  late: 12,
  givenUp: 3,
  doubled: 40,
  copied: 41,
  dropped: 1_234,
  split: 0,
};

test('what becomes of UDP, line by line and in words', () => {
  const lines = [
    uplink('dsl', { path: packetPath('dsl') }),
    uplink('lte', { path: packetPath('lte', { ...idle, state: 'silent' }) }),
    uplink('fibre', { path: packetPath('fibre', { ...idle, state: 'asking' }) }),
  ];
  const status = box('bonding over 3 of 3 lines', lines, { tunnel: 'carries' });
  const told = { ...status, sessions: status.sessions.map((session) => Object.assign(session, { packets })) };
  const text = statusText(told, { details: true });
  expect(text.slice(text.indexOf('1 stream'), text.indexOf('Version'))).toMatchInlineSnapshot(`
    "1 stream is open.
    UDP and everything else that is no TCP goes through the relay too.
    What does not go through the relay cannot leave: no line can send.

    "
  `);
  expect(text.slice(text.indexOf('PATH  LINE   UDP'), text.indexOf('Counted'))).toMatchInlineSnapshot(`
    "PATH  LINE   UDP                 RTT    JITTER  LOSS   QUEUE  ARRIVES     LONGEST  SENT
    1     dsl    gets through        32 ms  1.3 ms  0.4 %  12 ms  7.4 Mbit/s  1452 B   2.1 % calls, 98 % transfers of 8.2 MB
    1     lte    no answer any more  -      1.3 ms  0.4 %  -      -           1200 B   -
    1     fibre  no answer yet       -      1.3 ms  0.4 %  -      -           1200 B   -

    300 B of what must not wait, 120 kB of transfers waits for a line; 1,234 dropped that would have stood too long.
    Order: 5 held back, 12 came too late for it, 3 waited for in vain.
    Copies: 41 sent for safety, 40 that came twice dropped. In pieces, because a line takes no longer ones: 0.

    "
  `);
  expect(daemonStatus.parse(told)).toEqual(told);
});

test('a line whose packets go by TCP says so', () => {
  for (const [udp, words] of [
    ['blocked', 'blocked, goes by TCP'],
    ['limited', 'held down, goes by TCP'],
  ] as const) {
    const path = { ...packetPath('dsl', { state: 'silent' }), udp };
    expect(statusText(box('bonding over 1 of 1 lines', [uplink('dsl', { path })]), { details: true })).toContain(words);
  }
});

test('a relay tells whose packets they are', () => {
  const sessions = [{ peer: 'home', streams: 2, paths: [packetPath('x')], packets, counters: {} }];
  const text = statusText({ ...relay, sessions }, { details: true });
  expect(text).toContain('1     home  gets through');
  expect(text).toContain('home: Order: 5 held back');
});

test('colours do not change the words, and come only for a terminal nobody asked to be plain', () => {
  const status = box('bonding over 1 of 2 lines', [uplink('up'), bareUplink('down', { verdict: 'down' })]);
  const shown = statusText(status, { paint: coloured });
  expect(shown).toContain('\u001B[31mdown\u001B[0m');
  expect(shown).toContain('\u001B[32mup\u001B[0m');
  // oxlint-disable-next-line no-control-regex -- the very thing looked for
  expect(shown.replaceAll(/\u001B\[\d+m/gu, '')).toBe(statusText(status));
  expect(paintFor(true, {})).toBe(coloured);
  expect(paintFor(true, { NO_COLOR: '' })).toBe(coloured);
  for (const [terminal, environment] of [
    [false, {}],
    [true, { NO_COLOR: '1' }],
    [true, { TERM: 'dumb' }],
  ] as const) {
    expect(paintFor(terminal, environment)).toBe(plain);
  }
});

test('quantities as people say them', () => {
  expect([0, 999, 1500, 12_345_678].map(showRate)).toEqual(['0 bit/s', '999 bit/s', '1.5 kbit/s', '12 Mbit/s']);
  expect([0, 1500, 2e9].map(showSize)).toEqual(['0 B', '1.5 kB', '2.0 GB']);
  expect([0, 0.25, 31.4, Infinity].map(showDelay)).toEqual(['-', '0.3 ms', '31 ms', '-']);
  expect([0, 59, 61, 90_000].map(showAge)).toEqual(['0 s', '59 s', '1 min 1 s', '1 d 1 h']);
});

test('published ports stand below, and what does not work stands out', () => {
  const text = statusText({ ...relay, published }, { paint: coloured });
  expect(text).toContain('TCP port 80  home  192.168.7.10  any           open, 2 connected');
  expect(text).toContain('\u001B[33mUDP port 53  home  192.168.7.10  192.0.2.0/24  not reached: home is not connected');
});

test('routes are told in sentences, with what is not so', () => {
  const route = { networks: ['10.20.0.0/16'], lan: ['192.168.7.0/24'], faults: ['the box home is not connected'] };
  expect(statusText({ ...relay, routes: [{ ...route, box: 'home' }] })).toContain(
    'Hosts of home reach 10.20.0.0/16, and hosts there reach 192.168.7.0/24.\nThe box home is not connected.\n',
  );
  const text = statusText(
    box('bonding over 1 of 1 lines', [uplink('dsl')], { routes: [{ ...route, lan: [], faults: [] }] }),
  );
  expect(text).toContain('\nHosts of the LAN reach 10.20.0.0/16.\n');
});
