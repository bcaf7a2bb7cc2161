import fc from 'fast-check';
import { expect, test } from 'vitest';

import { bestUplink, type Candidate, judge, resolveUplinks } from '../src/index.ts';
import { config, machine } from './world.ts';

const uplinks = resolveUplinks(
  config([
    { name: 'a', interface: 'wan1' },
    { name: 'b', interface: 'wan2' },
    { name: 'c', interface: 'wan3', metered: true },
  ]),
  machine({ wan1: ['10.0.1.2/24', '10.0.1.1'], wan2: ['10.0.2.2/24', '10.0.2.1'], wan3: ['10.0.3.2/24', '10.0.3.1'] }),
);

const candidates = (...given: [Candidate['verdict'], number][]): Candidate[] =>
  uplinks.flatMap((uplink, i) => {
    const [verdict, minRttMs] = given[i] ?? [];
    return verdict === undefined || minRttMs === undefined ? [] : [{ uplink, verdict, minRttMs }];
  });

test('the healthiest that answers soonest is chosen, a metered one last', () => {
  expect(bestUplink(candidates(['up', 40], ['up', 10], ['up', 1]), undefined)).toBe('b');
  expect(bestUplink(candidates(['up', 40], ['down', 10], ['up', 1]), undefined)).toBe('a');
  expect(bestUplink(candidates(['down', 40], ['down', 10], ['up', 1]), undefined)).toBe('c');
  expect(bestUplink([], 'a')).toBeUndefined();
});

test('the present one is kept while it is about as good', () => {
  expect(bestUplink(candidates(['up', 40], ['up', 10]), 'a')).toBe('a');
  expect(bestUplink(candidates(['up', 90], ['up', 10]), 'a')).toBe('b');
  expect(bestUplink(candidates(['degraded', 10], ['up', 10]), 'a')).toBe('b');
});

test('a choice repeated with itself as the present one stays', () => {
  const verdict = fc.constantFrom('up' as const, 'degraded' as const, 'down' as const);
  fc.assert(
    fc.property(fc.array(fc.tuple(verdict, fc.integer({ min: 0, max: 500 })), { maxLength: 3 }), (given) => {
      const all = candidates(...given);
      const first = bestUplink(all, undefined);
      expect(bestUplink(all, first)).toBe(first);
    }),
  );
});

test('a verdict always comes with its reason', () => {
  const uplink = uplinks[0]!;
  expect(judge(uplink, { state: 'up', minRttMs: 3 }, undefined)).toEqual({
    verdict: 'up',
    reason: 'the relay answers',
  });
  expect(judge(uplink, undefined, 'connection refused')).toEqual({ verdict: 'degraded', reason: 'connection refused' });
  expect(judge({ ...uplink, fault: 'no carrier on wan1' }, { state: 'up', minRttMs: 3 }, undefined).verdict).toBe(
    'down',
  );
  expect(judge({ ...uplink, enabled: false }, undefined, undefined).verdict).toBe('disabled');
});

test('silence is degraded at first, then down, with what the link does', () => {
  const [line] = uplinks;
  if (!line) throw new Error('no line');
  const silent = (silentMs: number, dialFault?: string): string => {
    const { verdict, reason } = judge(line, { state: 'suspect', minRttMs: 3, silentMs }, dialFault);
    return `${verdict}: ${reason}`;
  };
  expect(silent(900)).toBe('degraded: the relay does not answer here for the moment, and does on another line');
  expect(silent(6_000)).toBe('down: no answer from the relay; the cable is plugged');
  expect(judge({ ...line, kind: '4g' }, { state: 'connecting', minRttMs: 0, silentMs: 6_000 }, undefined).reason).toBe(
    'no answer from the relay; the link is there',
  );
  expect(judge(line, { state: 'connecting', minRttMs: 0, silentMs: 6_000 }, 'it refuses').verdict).toBe('degraded');
});

test('a relay that refuses connections is no fault of the line; no route to it is', () => {
  const [line] = uplinks;
  if (!line) throw new Error('no line');
  const told = (isRefusal: boolean, silentMs: number): unknown =>
    judge(line, { state: 'suspect', minRttMs: 3, silentMs, unreached: { isRefusal, sentence: 'why' } }, undefined);
  expect(told(true, 6_000)).toEqual({ verdict: 'degraded', reason: 'why' });
  expect(told(false, 6_000)).toEqual({ verdict: 'down', reason: 'why' });
  expect(told(true, 900)).toMatchObject({ verdict: 'degraded', reason: expect.stringContaining('for the moment') });
});
