import fc from 'fast-check';
import { expect, test } from 'vitest';

import { RestartPolicy } from '../src/restart-policy.ts';

test('ever longer pauses, then none', () => {
  const policy = new RestartPolicy();
  const pauses = Array.from({ length: 11 }, (_, i) => policy.fault(i * 100));
  expect(pauses).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, undefined, undefined]);
});

test('old faults are forgotten', () => {
  const policy = new RestartPolicy();
  for (let i = 0; i < 8; i++) policy.fault(i);
  expect(policy.fault(70_000)).toBe(50);
});

test('whatever fails and however fast, no more than ten attempts begin in a minute', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 8_000, noNaN: true }), { maxLength: 100 }), (livesMs) => {
      const policy = new RestartPolicy();
      const starts: number[] = [0];
      for (const lifeMs of livesMs) {
        const diedMs = starts.at(-1)! + lifeMs;
        const pauseMs = policy.fault(diedMs);
        if (pauseMs === undefined) break;
        starts.push(diedMs + pauseMs);
      }
      for (const start of starts) {
        expect(starts.filter((s) => s >= start && s < start + 60_000).length).toBeLessThanOrEqual(10);
      }
    }),
  );
});
