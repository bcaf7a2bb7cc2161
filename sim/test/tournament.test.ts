/** The policy that ships on a few of the tournament's worlds; the whole of it is `npm run tournament`, its table in docs/simulator.md. */
import { expect, test } from 'vitest';

import { bestSingleMs, drawContest, playContest, policies, type Score, standingOf } from '../src/index.ts';

/** None of these was used in tuning. */
const seeds = Array.from({ length: 16 }, (_, i) => 8_001 + i);
const contests = seeds.map(drawContest);
const alone = contests.map(bestSingleMs);

function standing(name: string): ReturnType<typeof standingOf> {
  const policy = policies[name];
  if (!policy) throw new Error(`no policy ${name}`);
  return standingOf(contests.map((contest, i): Score => playContest(contest, policy, alone[i] ?? [])));
}

test('the policy that ships holds its score, and is ahead of the others', { timeout: 120_000 }, () => {
  const shipped = standing('shipped');
  expect(shipped.unfinished).toBe(0);
  expect(shipped.time).toBeLessThan(0.7);
  expect(shipped.time).toBeLessThan(0.95 * standing('shipped before').time);
  expect(shipped.twice).toBeLessThan(0.01);
  for (const other of ['round robin', 'soonest of all']) expect(shipped.time).toBeLessThan(standing(other).time);
});

test('the same seed plays the same world', () => {
  const contest = drawContest(8_001);
  const policy = policies['shipped'];
  if (!policy) throw new Error('no policy');
  const play = (): Score => playContest(contest, policy, bestSingleMs(contest));
  expect(play()).toEqual(play());
});
