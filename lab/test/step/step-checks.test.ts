import { expect, test } from 'vitest';

import { Arrivals } from '../../src/measure/arrivals.ts';
import type { Transfer } from '../../src/measure/transfer.ts';
import type { AskedFigures, Check, StepReport } from '../../src/report/report.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';
import type { TransferStep, WaitStep } from '../../src/scenario/scenario.ts';
import { blankReport } from '../../src/step/blank-report.ts';
import { stepChecks, waitChecks } from '../../src/step/step-checks.ts';

function stepOf(text: string): ReturnType<typeof parseScenario>['steps'][number] {
  const lines = '[{ name: a, kind: adsl, down: 8 Mbit/s, up: 1 Mbit/s }]';
  return parseScenario('x.yaml', `title: t\nlines: ${lines}\nsteps: [${text}]`).steps[0]!;
}

const whole: Transfer = {
  kind: 'download',
  startMs: 0,
  arrivals: new Arrivals(),
  status: 0,
  complaint: '',
  sha256: 'right',
  wrongAt: -1,
  connections: 1,
  requests: 1,
  seenFrom: '203.0.113.1',
};
const asked: AskedFigures = {
  asked: 40,
  answered: 38,
  viaRelay: 30,
  direct: 8,
  answeredMs: 700,
  viaRelayMs: 2_500,
  directMs: null,
};

/** Names of the checks that do not hold. */
const failed = (checks: readonly Check[]): string[] => checks.filter((c) => !c.ok).map((c) => c.name);

function judge(step: string, transfer: Partial<Transfer>, report: Partial<StepReport> = {}): string[] {
  const outcome = {
    report: { ...blankReport('download', undefined, 1), bytes: 1_000, ...report },
    transfer: { ...whole, ...transfer },
  };
  return failed(stepChecks(stepOf(step) as TransferStep, outcome, 'right', 'it'));
}

test('a whole transfer has its bytes, one connection, and the relay as its source', () => {
  expect(judge('{ kind: download, bytes: 1 kB }', {})).toEqual([]);
  expect(judge('{ kind: download, bytes: 1 kB }', { sha256: 'wrong' })).toEqual(['it: bytes and checksum right']);
  expect(judge('{ kind: download, bytes: 1 kB }', { requests: 2 })).toEqual(['it: one connection to the end']);
  expect(judge('{ kind: download, bytes: 1 kB }', { seenFrom: '100.64.1.2' })).toEqual([
    'it: seen from the address of the relay',
  ]);
  expect(judge('{ kind: download, bytes: 1 kB, seen: direct }', { seenFrom: '100.64.1.2' })).toEqual([]);
  expect(judge('{ kind: download, bytes: 1 kB, to: ipv6 }', { seenFrom: '2001:db8:a::1' })).toEqual([]);
});

test('a transfer that has to end by a reset must not end like a whole one, nor with a wrong byte', () => {
  const step = '{ kind: download, bytes: 2 kB, ends: reset }';
  expect(judge(step, { status: 56 })).toEqual([]);
  // 18: the connection was closed in an orderly way, and the file is short.
  for (const bad of [{ status: 0 }, { status: 18 }, { status: 56, wrongAt: 7 }])
    expect(judge(step, bad)).toEqual(['it: ended by a reset, with no wrong byte']);
});

test('a refused one carries nothing', () => {
  const step = '{ kind: request, bytes: 2 kB, ends: refused }';
  expect(judge(step, { status: 7 }, { bytes: 0 })).toEqual([]);
  expect(judge(step, { status: 28 }, { bytes: 0 })).toEqual(['it: ended by a refusal']);
  expect(judge(step, { status: 56 })).toEqual(['it: ended by a refusal']);
});

test('what is asked meanwhile is held against its limits', () => {
  const step = stepOf(
    '{ kind: wait, time: 1 s, askEvery: 100 ms, events: [{ at: 0 s, relay: stop }], limits: { answeredMsMax: 1000, viaRelayMsMax: 1000, directMsMax: 1000 } }',
  ) as WaitStep;
  const report = { ...blankReport('wait', undefined, 1), asked };
  expect(failed(waitChecks(step, report, 'it'))).toEqual([
    'it: all events happened',
    'it: all requests by the relay after ms',
    'it: all requests directly after ms',
  ]);
});
