import { expect, test } from 'vitest';

import type { CrowdNote } from '../../src/clients/crowd-orders.ts';
import type { CrowdFigures, Footprint } from '../../src/report/crowd-figures.ts';
import { reportTable } from '../../src/report/table.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';
import type { CrowdStep } from '../../src/scenario/scenario.ts';
import { shortForm } from '../../src/scenario/short-form.ts';
import { crowdChecks, type CrowdOutcome, grownBy } from '../../src/step/crowd.ts';
import { reportWith } from '../report/reports.ts';

const scenario = parseScenario(
  'x.yaml',
  `title: t
lines: [{ name: a, kind: adsl, down: 8 Mbit/s, up: 1 Mbit/s }]
steps:
  - kind: crowd
    bytes: 1 kB
    live: 1000
    every: 5 s
    time: 30 s
    idle: 5000
    idleTime: 15 s
    limits: { residentBytesMax: 40 kB, kernelBytesMax: 16 kB, answeredMsMax: 1000, idleCoresMax: 0.01 }
    short: { live: 10, limits: { answeredMsMax: 900 } }`,
);
const step = scenario.steps[0] as CrowdStep;

const base: Footprint = {
  boxBytes: 80e6,
  relayBytes: 70e6,
  kernel: { slabBytes: 4e6, tcpSockets: 40 },
  sockets: 20,
  queueBytes: 1e6,
};
const crowd: CrowdFigures = {
  base,
  socketBytes: 4_000,
  live: {
    streams: 1_000,
    exchanges: 6_000,
    right: 6_000,
    msMedian: 40,
    msMax: 300,
    boxBytesPerStream: 22_000,
    relayBytesPerStream: 17_000,
    kernelBytesPerStream: 9_000,
  },
  idle: {
    streams: 5_000,
    baseCores: { box: 0.02, relay: 0.01 },
    cores: { box: 0.024, relay: 0.014 },
    boxBytesPerStream: 12_000,
    relayBytesPerStream: 11_000,
    kernelBytesPerStream: 9_000,
  },
};
const note: CrowdNote = { open: 1_000, exchanges: 1_000, right: 1_000, msMedian: 40, msMax: 300, why: '' };
const idleNote = { ...note, open: 5_000, exchanges: 5_000, right: 5_000 };
const well: CrowdOutcome = {
  crowd,
  notes: {
    opened: note,
    talked: { ...note, exchanges: 6_000, right: 6_000 },
    idleOpened: idleNote,
    idleAnswered: idleNote,
  },
};
const failed = (outcome: CrowdOutcome, strangers: string[] = []): string[] =>
  crowdChecks(step, outcome, strangers, 'it').flatMap((c) => (c.ok ? [] : [c.name]));
const withLive = (live: Partial<CrowdFigures['live']>): CrowdOutcome => ({
  ...well,
  crowd: { ...crowd, live: { ...crowd.live, ...live } },
});

test('box and relay are judged together, by what they grew over their base', () => {
  expect(failed(well)).toEqual([]);
  expect(failed(withLive({ relayBytesPerStream: 18_001 }))).toEqual(['it: resident bytes a live stream']);
  expect(failed(withLive({ kernelBytesPerStream: 16_001 }))).toEqual(['it: kernel bytes a live stream']);
  expect(failed(withLive({ msMax: 1_001 }))).toEqual(['it: answer of the slowest live stream in ms']);
  const idle = { ...crowd.idle, cores: { box: 0.028, relay: 0.013 } };
  expect(failed({ ...well, crowd: { ...crowd, idle } })).toEqual(['it: cores for the idle streams']);
});

test('every stream has to be there to the end, and answer', () => {
  const lost = { ...idleNote, open: 4_999, right: 4_999, why: 'ECONNRESET' };
  expect(failed({ ...well, notes: { ...well.notes, idleAnswered: lost } })).toEqual([
    'it: every idle stream still answered',
  ]);
  const silent = { ...note, exchanges: 999, right: 999 };
  expect(failed({ ...well, notes: { ...well.notes, talked: silent } })).toEqual([
    'it: every live stream answered each time',
  ]);
  expect(failed(well, ['100.64.1.2'])).toEqual(['it: seen from the address of the relay']);
});

test("what sockets of others take of the kernel is not the product's", () => {
  const now = {
    boxBytes: 82e6,
    relayBytes: 71e6,
    kernel: { slabBytes: 6e6, tcpSockets: 450 },
    sockets: 220,
    queueBytes: 1.2e6,
  };
  expect(grownBy(base, now, 100, 4_000)).toEqual({
    boxBytesPerStream: 20_000,
    relayBytesPerStream: 10_000,
    // 2 MB more of slab memory, less 210 sockets of others, and 200 kB in queues.
    kernelBytesPerStream: (2e6 - 210 * 4_000 + 200_000) / 100,
  });
  expect(grownBy(base, now, 100, null).kernelBytesPerStream).toBeNull();
  const crowded = { ...now, kernel: { ...now.kernel, tcpSockets: 4_020 } };
  expect(grownBy(base, crowded, 100, 4_000).kernelBytesPerStream).toBeNull();
  expect(failed(withLive({ kernelBytesPerStream: null }))).toEqual(['it: kernel bytes a live stream']);
});

test('the short form has its own extent and its own limits', () => {
  expect(shortForm(scenario).steps[0]).toMatchObject({ live: 10, idle: 5_000, limits: { answeredMsMax: 900 } });
  expect(shortForm(scenario).steps[0]).not.toHaveProperty('limits.residentBytesMax');
});

test('the report states the base', () => {
  const table = reportTable(reportWith({}, { kind: 'crowd', name: 'crowd', seconds: 90, crowd }));
  expect(table).toContain(
    'without streams: box 80 MB, relay 70 MB resident; 20 TCP sockets of theirs, 40 on this machine',
  );
  expect(table).toContain('1000 live streams: box 22.0 kB, relay 17.0 kB resident and 9.0 kB of the kernel a stream');
  expect(table).toContain('processor with them: box 2.40 %, relay 1.40 % of a core; without: 2.00 %, 1.00 %');
});
