import { expect, test } from 'vitest';

import { Sessions } from '../src/sessions.ts';

const box = { pin: 'p', name: 'home', incarnation: 'a', address: '192.0.2.1' };

test('the same incarnations go on with the same session; another of either begins a new one', () => {
  const sessions = new Sessions();
  const first = sessions.arrive(box, 'r1', 0);
  expect(first.isNew).toBe(true);
  expect(sessions.arrive(box, 'r1', 1)).toEqual({ sessionKey: first.sessionKey, isNew: false });
  const restarted = sessions.arrive({ ...box, incarnation: 'b' }, 'r1', 2);
  expect(restarted.isNew).toBe(true);
  expect(restarted.sessionKey).not.toBe(first.sessionKey);
  expect(sessions.arrive({ ...box, incarnation: 'b' }, 'r2', 3).isNew).toBe(true);
});

test('two boxes with one identity are named with both addresses at the third swap within a minute', () => {
  const sessions = new Sessions();
  const other = { ...box, incarnation: 'b', address: '198.51.100.2' };
  const warnings = [box, other, box, other].map((one, i) => sessions.arrive(one, 'r', i * 1000).warning);
  expect(warnings).toEqual([
    undefined,
    undefined,
    undefined,
    'the identity of home runs on two boxes (seen from 198.51.100.2 and 192.0.2.1)',
  ]);
  expect(sessions.arrive(box, 'r', 5000).elsewhere).toBe('198.51.100.2');
});

test('a box that was put out begins anew', () => {
  const sessions = new Sessions();
  sessions.arrive(box, 'r', 0);
  sessions.forget('p');
  expect(sessions.arrive(box, 'r', 1).isNew).toBe(true);
});

test('a box that stops in good order may start again as often as it likes', () => {
  const sessions = new Sessions();
  const warnings = Array.from({ length: 10 }, (_, i) => {
    const arrival = sessions.arrive({ ...box, incarnation: String(i) }, 'r', i * 1_000);
    sessions.leave(arrival.sessionKey);
    sessions.leave('somebody else r');
    return arrival.warning;
  });
  expect(warnings.every((warning) => warning === undefined)).toBe(true);
});

test('a box restarted now and then is no cause for alarm', () => {
  const sessions = new Sessions();
  const warnings = Array.from({ length: 10 }, (_, i) =>
    sessions.arrive({ ...box, incarnation: String(i) }, 'r', i * 31_000),
  ).map((arrival) => arrival.warning);
  expect(warnings.every((warning) => warning === undefined)).toBe(true);
});
