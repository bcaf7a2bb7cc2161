import { makeLog } from '@tresse/daemon';
import { expect, test, vi } from 'vitest';

import { Health } from '../src/health.ts';
import { uplinks } from './fakes.ts';

const lines = uplinks({ a: '10.0.1.2', b: '10.0.2.2' });

test('every change of a verdict is logged once, with its reason', () => {
  const log: string[] = [];
  const health = new Health(makeLog('info', (line) => log.push(line)));
  const states: Record<string, string> = { a: 'up', b: 'up' };
  const judge = (): boolean =>
    health.judge(lines, (name) => ({ path: { state: states[name] ?? '', minRttMs: 10 }, dialFault: undefined }));
  expect(judge()).toBe(true);
  expect(health.direct[4]).toBe('a');
  expect(judge()).toBe(false);
  expect(log).toHaveLength(3);
  states['a'] = 'down';
  expect(judge()).toBe(true);
  expect(health.direct[4]).toBe('b');
  expect(health.verdictOf('a')).toMatchObject({
    verdict: 'down',
    reason: 'the link has just fallen',
  });
  expect(log.slice(3).map((line) => line.replace(/^time=\S+ /u, ''))).toEqual([
    'level=warn msg=verdict uplink=a interface=wan1 verdict=down reason="the link has just fallen"\n',
    'level=info msg="direct traffic leaves by another line" family=IPv4 uplink=b before=a\n',
  ]);
});

test('what was never looked at is down', () => {
  expect(new Health(makeLog('error', () => {})).verdictOf('x').verdict).toBe('down');
});

test('a line that stays silent is down, since its silence began', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const health = new Health(makeLog('error', () => {}));
  const states = { a: 'up', b: 'up' };
  const judge = (): void => {
    health.judge(lines, (name) => ({
      path: { state: name === 'a' ? states.a : states.b, minRttMs: 10 },
      dialFault: undefined,
    }));
  };
  judge();
  states.a = 'suspect';
  judge();
  expect(health.verdictOf('a')).toMatchObject({ verdict: 'degraded', sinceS: 0 });
  vi.advanceTimersByTime(7_000);
  judge();
  expect(health.verdictOf('a')).toEqual({
    verdict: 'down',
    reason: 'no answer from the relay; the cable is plugged',
    sinceS: 7,
  });
  states.a = 'up';
  judge();
  expect(health.verdictOf('a')).toMatchObject({ verdict: 'up', sinceS: 0 });
  expect(health.verdictOf('b')).toMatchObject({ verdict: 'up', sinceS: 7 });
  vi.useRealTimers();
});
