import { expect, test } from 'vitest';

import { callWay } from '../../src/measure/call.ts';

/** Packets every 20 ms, each with its delay; undefined: lost. */
const came = (delays: readonly (number | undefined)[]): [number, number, number][] =>
  delays.flatMap((delay, i): [number, number, number][] => (delay === undefined ? [] : [[i, i * 20, i * 20 + delay]]));
const steady = (count: number, delay: number): number[] => Array.from({ length: count }, () => delay);

test('a call that is all right', () => {
  expect(callWay(150, came(steady(150, 30)))).toEqual({
    sent: 100,
    lost: 0,
    delayMsMedian: 30,
    delayMsP99: 30,
    jitterMs: 0,
    gapMs: 20,
    doubled: 0,
  });
});

test('what is lost, late or doubled after the first second is seen; what is before is not', () => {
  const delays: (number | undefined)[] = steady(200, 30);
  delays[10] = undefined;
  delays[100] = undefined;
  delays[101] = undefined;
  delays[150] = 130;
  const all = came(delays);
  all.push([120, 2_400, 2_460]);
  const way = callWay(200, all);
  expect(way).toMatchObject({ sent: 150, lost: 2, doubled: 1, delayMsMedian: 30, gapMs: 60 });
  expect(way.jitterMs).toBeGreaterThan(5);
  expect(callWay(200, came([...steady(149, 30), ...steady(3, 90), ...steady(48, 30)])).delayMsP99).toBe(90);
});

test('where nothing came all is lost', () => {
  expect(callWay(40, [])).toMatchObject({ delayMsMedian: null, delayMsP99: null, gapMs: 0 });
});
