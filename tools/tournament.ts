/**
 * `npm run tournament`: policies of the braid play seeded worlds in the simulator; prints a table. Takes `--seeds FROM-TO`,
 * `--policies A,B`, `--processes 1|2`, `--seconds N` (no new world after that) and `--scores FILE` (every score, one a line).
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import { sentenceOf, UserError } from '@tresse/kit';
import {
  type Policy,
  type Score,
  type Standing,
  bestSingleMs,
  drawContest,
  playContest,
  policies,
  standingOf,
} from '@tresse/sim';

interface Order {
  readonly seed: number;
  readonly names: readonly string[];
}

interface Played {
  readonly seed: number;
  readonly scores: readonly (readonly [string, Score])[];
}

function play({ seed, names }: Order): Played {
  const contest = drawContest(seed);
  const alone = bestSingleMs(contest);
  const scores = names.map((name) => [name, playContest(contest, policyNamed(name), alone)] as const);
  return { seed, scores };
}

/** Throws UserError `POLICY` for a name nobody has. */
function policyNamed(name: string): Policy {
  const policy = policies[name];
  if (policy) return policy;
  throw new UserError('POLICY', `no policy "${name}"; there are: ${Object.keys(policies).join(', ')}`);
}

function table(scores: ReadonlyMap<string, readonly Score[]>): string {
  const standings = [...scores].map(([name, list]): [string, Standing] => [name, standingOf(list)]);
  const rows = standings.toSorted(([, a], [, b]) => a.time - b.time);
  const lines = rows.map(([name, r]) =>
    [
      '',
      name,
      r.time.toFixed(3),
      r.time95.toFixed(2),
      r.timeWorst.toFixed(2),
      `${(r.slower * 100).toFixed(1)} %`,
      `${(r.share * 100).toFixed(0)} %`,
      `${r.stallMs95.toFixed(0)} ms`,
      `${(r.twice * 100).toFixed(2)} %`,
      r.unfinished,
      '',
    ]
      .join(' | ')
      .trim(),
  );
  return [
    '| policy | time | 95 % | worst transfer | slower worlds | share | stall 95 % | twice | unfinished |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1-100' },
      policies: { type: 'string', default: Object.keys(policies).join(',') },
      processes: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '1800' },
      scores: { type: 'string' },
    },
  });
  const [from = 1, to = from] = values.seeds.split('-').map(Number);
  const names = values.policies.split(',');
  for (const name of names) policyNamed(name);
  const scores = new Map<string, Score[]>(names.map((name) => [name, []]));
  const endMs = performance.now() + Number(values.seconds) * 1_000;
  let seed = from;
  let worlds = 0;
  const one = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url));
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        if (seed > to || performance.now() > endMs) resolve();
        else worker.postMessage({ seed: seed++, names } satisfies Order);
      };
      worker.on('error', reject);
      worker.on('message', (played: Played) => {
        worlds++;
        for (const [name, score] of played.scores) scores.get(name)?.push(score);
        if (values.scores !== undefined) appendFileSync(values.scores, `${JSON.stringify(played)}\n`);
        next();
      });
      next();
    });
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(2, Number(values.processes)) }, one));
  process.stdout.write(`${worlds} worlds, seeds ${from} to ${seed - 1}\n\n${table(scores)}\n`);
}

if (isMainThread) {
  await main().catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${sentenceOf(error)}\n`);
    process.exitCode = 2;
  });
} else parentPort?.on('message', (order: Order) => parentPort?.postMessage(play(order)));
