/** The policy that ships on a few of the tournament's worlds; the whole of it is `npm run tournament`, its table in docs/simulator.md. */
import { expect, test } from 'vitest';

import { bestSingleMs, drawContest, playContest, policies, type Score, standingOf } from '../src/index.ts';

const worldsFrom = (seed: number): number[] => Array.from({ length: 16 }, (_, i) => seed + i);
/** None of these is in the table. */
const contests = [...worldsFrom(7_001), ...worldsFrom(8_001)].map(drawContest);
const alone = contests.map(bestSingleMs);

function play(name: string): Score[] {
  const policy = policies[name];
  if (!policy) throw new Error(`no policy ${name}`);
  return contests.map((contest, i) => playContest(contest, policy, alone[i] ?? []));
}

test('the policy that ships holds its score, and is ahead of the others', { timeout: 120_000 }, () => {
  const scores = play('shipped');
  const shipped = standingOf(scores);
  expect(shipped.unfinished).toBe(0);
  expect(standingOf(scores.slice(0, 16)).time).toBeLessThan(0.61);
  expect(shipped.time).toBeLessThan(0.66);
  expect(shipped.time).toBeLessThan(0.95 * standingOf(play('shipped before')).time);
  expect(shipped.twice).toBeLessThan(0.01);
  for (const other of ['round robin', 'soonest of all']) {
    expect(shipped.time).toBeLessThan(standingOf(play(other)).time);
  }
});

test('the same seed plays the same world', () => {
  const contest = drawContest(8_001);
  const policy = policies['shipped'];
  if (!policy) throw new Error('no policy');
  const once = (): Score => playContest(contest, policy, bestSingleMs(contest));
  expect(once()).toEqual(once());
});
