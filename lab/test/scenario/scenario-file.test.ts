import { expect, test } from 'vitest';

import { findScenario, parseScenario, scenarioNames } from '../../src/scenario/scenario-file.ts';
import { shortForm } from '../../src/scenario/short-form.ts';

const text = (steps: string): string => `title: a test
lines:
  - { name: a, kind: adsl, delay: 15 ms, down: 8 Mbit/s, up: { rate: 1 Mbit/s, delay: 30 ms, loss: 1 % } }
  - { name: b, kind: fibre, down: 100 Mbit/s, up: 15 Mbit/s }
steps:
${steps}`;

/** The sentences of a refusal. */
function faults(source: string): string {
  try {
    parseScenario('x.yaml', source);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

test('every scenario that comes with Tresse is valid, in both forms', () => {
  expect(scenarioNames()).toEqual(expect.arrayContaining(['adsl-pair', 'cut-carrier', 'cut-silent', 'household']));
  for (const name of scenarioNames()) {
    const { scenario } = findScenario(name);
    expect(scenario.lines.length).toBeGreaterThan(0);
    for (const step of shortForm(scenario).steps) {
      if ('limits' in step && 'ofSumMin' in step.limits) expect(step.limits.ofSumMin ?? 0).toBeLessThanOrEqual(0.85);
    }
  }
});

test('what holds for a line holds for both directions, unless one has its own', () => {
  const { lines } = parseScenario('x.yaml', text('  - { kind: request, bytes: 30 kB }'));
  expect(lines[0]).toEqual({
    name: 'a',
    kind: 'adsl',
    down: { rateBps: 8e6, delayMs: 15, jitterMs: 0, lossRatio: 0, queueMs: 100 },
    up: { rateBps: 1e6, delayMs: 30, jitterMs: 0, lossRatio: 0.01, queueMs: 100 },
  });
  expect(lines[1]?.down.delayMs).toBe(0);
});

test('sizes are whole bytes', () => {
  const { steps } = parseScenario('x.yaml', text('  - { kind: download, bytes: 64 MiB }'));
  expect(steps[0]).toMatchObject({ bytes: 67_108_864 });
});

test.each([
  [
    '  - { kind: download, byte: 1 MB }',
    'x.yaml:6:23 steps.0.byte: unknown key (accepted: kind, name, events, askEvery, limits, bytes, to, ends, seen, times, worst, short)',
  ],
  [
    '  - { kind: fetch, bytes: 1 MB }',
    'steps.0.kind: "fetch" is not accepted (accepted: download, upload, request, wait, ping, mixed, pairs, page, flows, crowd, udp, call, status, quic, probe, visit)',
  ],
  ['  - { kind: request, bytes: 1 MB, to: far }', 'there is no far host'],
  ['  - { kind: pairs, bytes: [1 MB], count: 2, to: far }', 'there is no far host'],
  [
    '  - { kind: page, objects: 2, bytes: [1 kB, 2 kB], total: [1 kB, 9 kB], hosts: 1, parallel: 2, count: 1 }',
    'there is no far host',
  ],
  [
    '  - { kind: page, objects: 2, bytes: [1 kB, 2 kB], total: [5 kB, 9 kB], hosts: 1, parallel: 2, count: 1 }',
    'so many objects cannot have this sum',
  ],
  ['  - { kind: download, bytes: 1 MBs }', '"1 MBs" is not a number and its unit'],
  [
    '  - { kind: download, bytes: 1 MB, events: [{ at: 50 %, line: c, cut: silent }] }',
    'no line "c" (accepted: a, b, biggest, first-bytes)',
  ],
  ['  - { kind: download, bytes: 1 MB, events: [{ line: a, cut: silent }] }', 'either "at" or "after"'],
  [
    '  - { kind: download, bytes: 1 MB, events: [{ at: 1 s, line: a, cut: silent, restore: true }] }',
    'an event does one thing',
  ],
  ['  - { kind: wait, time: 1 s, events: [{ at: 0 s, cut: silent }] }', '"line" belongs to'],
  ['  - { kind: wait, time: 1 s, events: [{ at: 0 s, line: a, relay: stop }] }', '"line" belongs to'],
  ['  - { kind: wait, time: 1 s, events: [{ at: 0 s, line: a, proxy: dies }] }', 'expected a line with "proxy"'],
  ['  - { kind: wait, time: 1 s, events: [{ at: 0 s, line: a, nat: forgets }] }', 'expected a line with "nat"'],
  [
    '  - { kind: wait, time: 1 s, events: [{ at: 0 s, line: a, udp: { ports: 9-1 } }] }',
    'expected ports as "1024-65535"',
  ],
  ['  - { kind: wait, time: 1 s, events: [{ at: 0 s, udp: blocked }] }', '"line" belongs to'],
  ['  - { kind: status, says: ["("] }', 'expected a regular expression'],
  ['  - { kind: udp, direction: up, time: 1 s, limits: { settledMin: 1 } }', 'is for the direction "down"'],
])('refuses %s', (steps, sentence) => {
  expect(faults(text(steps))).toContain(sentence);
});

test('two lines of one name are refused', () => {
  expect(faults(text('  - { kind: request, bytes: 1 kB }').replace('name: b', 'name: a'))).toContain(
    '"a" is used twice',
  );
});

test('an unknown name tells the known ones', () => {
  expect(() => findScenario('houshold')).toThrow(/no scenario "houshold" \(known: .*household/u);
});

test('the short form takes its own bytes and leaves out what is skipped', () => {
  const scenario = parseScenario(
    'x.yaml',
    text(`  - { kind: download, bytes: 100 MB, limits: { ofSumMin: 0.97, stallMsMax: 250, ofMptcpMin: 1 }, short: { bytes: 5 MB } }
  - { kind: upload, bytes: 9 MB, short: { skip: true } }`),
  );
  const short = shortForm(scenario);
  expect(short.steps).toHaveLength(1);
  expect(short.steps[0]).toMatchObject({ bytes: 5_000_000 });
  expect(short.steps[0]).toHaveProperty('limits', { ofSumMin: 0.85, stallMsMax: 500 });
});

test('the short form of pairs has its own sizes and count, and a floor for the median only', () => {
  const scenario = parseScenario(
    'x.yaml',
    text(
      '  - { kind: pairs, bytes: [30 kB, 10 MB], count: 40, limits: { medianOfDirectMax: 1, p95OfDirectMax: 1.2 }, short: { bytes: [30 kB], count: 3 } }',
    ),
  );
  expect(shortForm(scenario).steps[0]).toMatchObject({
    bytes: [30_000],
    count: 3,
    limits: { medianOfDirectMax: 1.5 },
  });
  expect(shortForm(scenario).steps[0]).not.toHaveProperty('limits.p95OfDirectMax');
});

test('lines have proxies, address translation, an MTU and a hole in it, and packets that stray', () => {
  const { lines } = parseScenario(
    'x.yaml',
    `title: t
lines:
  - { name: a, kind: 4g, down: 8 Mbit/s, up: 1 Mbit/s, mtuHole: 1400, proxy: true, nat: { timeout: 10 s } }
  - { name: b, kind: 4g, down: 8 Mbit/s, up: { rate: 1 Mbit/s, reorder: { share: 2 %, by: 20 ms } }, nic: a }
steps: [{ kind: request, bytes: 1 kB }]`,
  );
  expect(lines[0]).toMatchObject({ proxy: true, nat: { timeoutMs: 10_000 }, down: { holeBytes: 1_400 } });
  expect(lines[1]).toMatchObject({ nic: 'a', up: { reorderRatio: 0.02, reorderMs: 20 } });
  expect(lines[1]?.down.reorderRatio).toBeUndefined();
});

test.each([
  ['nic: c', '"c" is no other line'],
  ['nic: b', '"b" is no other line'],
])('refuses a line with %s', (what, sentence) => {
  const source = text('  - { kind: request, bytes: 1 kB }').replace('name: b,', `name: b, ${what},`);
  expect(faults(source)).toContain(sentence);
});
