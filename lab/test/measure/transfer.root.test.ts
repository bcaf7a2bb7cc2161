import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { whole } from '../../src/measure/extent.ts';
import { beginTransfer, type Transfer } from '../../src/measure/transfer.ts';
import { LabNames, lanHostOf } from '../../src/network/addresses.ts';
import { labNetns } from '../../src/network/sweep.ts';
import { openDirectRoutes } from '../../src/rivals/direct-routes.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';
import { setStage, type Stage, strikeStage } from '../../src/stage.ts';

const names = new LabNames('lab-test-');
const folder = mkdtempSync(join(tmpdir(), 'tresse-lab-test-'));
const { lines } = parseScenario(
  'test.yaml',
  `title: two fast lines
lines:
  - { name: wan1, kind: fibre, delay: 2 ms, down: 80 Mbit/s, up: 80 Mbit/s }
  - { name: wan2, kind: fibre, delay: 2 ms, down: 80 Mbit/s, up: 80 Mbit/s }
steps: [{ kind: request, bytes: 1 kB }]`,
);
let stage: Stage;
let close: () => Promise<void>;

beforeAll(async () => {
  stage = await setStage({ names, lines, seed: 3, folder, onFault: () => {} });
  close = await openDirectRoutes(stage);
});
afterAll(async () => {
  await close();
  await strikeStage(stage);
  rmSync(folder, { recursive: true });
  expect(await labNetns(names)).toEqual([]);
});

const carry = (kind: 'download' | 'upload', id: string, line: number, bytes: number): Promise<Transfer> =>
  beginTransfer({
    ...whole(stage, kind, bytes),
    kind,
    id,
    netns: names.lan,
    server: stage.server,
    from: lanHostOf(line),
    content: stage.content,
  }).outcome;

test.each(['download', 'upload'] as const)('a %s brings every byte over the line it is sent by', async (kind) => {
  const seen = await carry(kind, kind, 1, 3_000_000);
  expect(seen).toMatchObject({ status: 0, connections: 1, requests: 1, wrongAt: -1, seenFrom: '100.64.2.2' });
  expect(seen.arrivals.bytes).toBe(3_000_000);
  expect(seen.sha256).toBe(stage.content.sha256(3_000_000));
  const [first, second] = await stage.emulator.counters();
  const direction = kind === 'download' ? 'down' : 'up';
  expect(second?.[direction].deliveredBytes).toBeGreaterThan(3_000_000);
  expect(first?.[direction].deliveredBytes).toBeLessThan(10_000);
});

test('a transfer over a line that is cut says what is missing, and can be ended', async () => {
  await stage.emulator.cutSilent('wan1');
  const underWay = beginTransfer({
    ...whole(stage, 'download', 1_000_000),
    kind: 'download',
    id: 'cut',
    netns: names.lan,
    server: stage.server,
    from: lanHostOf(0),
  });
  underWay.stop();
  const seen = await underWay.outcome;
  await stage.emulator.restore('wan1');
  expect(seen.status).not.toBe(0);
  expect(seen.arrivals.bytes).toBe(0);
});

test('a time ends a transfer from either side', async () => {
  const timedOut = await Promise.all(
    (['download', 'upload'] as const).map(
      (kind) =>
        beginTransfer({
          ...whole(stage, kind, 50_000_000),
          kind,
          id: `timed-${kind}`,
          secondsMax: 1,
          netns: names.lan,
          server: stage.server,
          from: lanHostOf(kind === 'download' ? 0 : 1),
        }).outcome,
    ),
  );
  for (const seen of timedOut) {
    expect(seen.status).not.toBe(0);
    expect(seen.arrivals.bytes).toBeGreaterThan(0);
    expect(seen.arrivals.bytes).toBeLessThan(50_000_000);
  }
});
