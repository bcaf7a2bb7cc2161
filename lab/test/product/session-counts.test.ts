import { expect, test } from 'vitest';

import { countedSince, sessionCounts } from '../../src/product/session-counts.ts';
import { daemonFigures } from '../../src/step/daemon-figures.ts';

type Status = NonNullable<Parameters<typeof sessionCounts>[0][number]>;

const status = (counters: Record<string, number>): Status => ({
  kind: 'box',
  version: '0',
  pin: '',
  uptimeS: 1,
  summary: '',
  uplinks: [],
  published: [],
  routes: [],
  sessions: [{ peer: '', streams: 0, paths: [], counters }],
  counters: {},
  warnings: [],
});

test('both daemons are summed up, and one that is silent counts nothing', () => {
  const box = status({
    pathSuspicions: 1,
    pathSuspicionsNeedless: 1,
    strandSuspicions: 2,
    bytesSentAgain: 30,
    bytesHedged: 4,
  });
  const relay = status({ pathSuspicions: 10, bytesSentAgain: 100 });
  expect(sessionCounts([box, relay])).toEqual({
    pathSuspicions: 11,
    pathSuspicionsNeedless: 1,
    strandSuspicions: 2,
    bytesTwice: 134,
  });
  expect(sessionCounts([box, undefined])).toEqual({
    pathSuspicions: 1,
    pathSuspicionsNeedless: 1,
    strandSuspicions: 2,
    bytesTwice: 34,
  });
});

test('what was counted before does not count, and a new session counts from nothing', () => {
  const before = { pathSuspicions: 3, pathSuspicionsNeedless: 1, strandSuspicions: 1, bytesTwice: 1_000 };
  const after = { pathSuspicions: 4, pathSuspicionsNeedless: 3, strandSuspicions: 1, bytesTwice: 400 };
  const since = countedSince(before, after);
  expect(since).toEqual({ pathSuspicions: 1, pathSuspicionsNeedless: 2, strandSuspicions: 0, bytesTwice: 400 });
  expect(daemonFigures(since, 10_000).sentTwice).toBe(0.04);
  expect(daemonFigures(since, 0).sentTwice).toBeNull();
});
