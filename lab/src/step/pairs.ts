import { monotonicMs } from '@tresse/sys';

import { Fetching } from '../measure/fetching.ts';
import { addresses, lineAddresses } from '../network/addresses.ts';
import { inTurn, pause } from '../process/in-turn.ts';
import { bytesText } from '../report/figures.ts';
import { openDirectRoute } from '../rivals/direct-routes.ts';
import type { PairsStep } from '../scenario/pairs-step.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import { type Pair, pairChecks, pairFigures, type PairSide } from './pair-figures.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

/** Between two transfers: what the one before still has on the lines (copies, acknowledgements) must not meet the next. */
const quietMs = 150;

/** The line that an only line would best be: the fastest. */
export function bestLine(lines: readonly LineSpec[], direction: 'down' | 'up'): number {
  return lines.reduce(
    (best, line, i) => (line[direction].rateBps > (lines[best]?.[direction].rateBps ?? 0) ? i : best),
    0,
  );
}

/** Makes pairs of the same transfer, the direct one last and first in turn, so that neither has the better place. */
export async function inPairs(
  count: number,
  bonded: (index: number) => Promise<PairSide>,
  direct: (index: number) => Promise<PairSide>,
): Promise<Pair[]> {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return await inTurn(numbers, async (i) => {
    const sides = i % 2 === 0 ? ([bonded, direct] as const) : ([direct, bonded] as const);
    await pause(quietMs);
    const first = await sides[0](i);
    await pause(quietMs);
    const second = await sides[1](i);
    return i % 2 === 0 ? { bonded: first, direct: second } : { bonded: second, direct: first };
  });
}

/** Plays the step. The direct transfers begin in the box itself, where Tresse does not take them. */
export async function playPairs({ stage, show }: StepScene, step: PairsStep, index: number): Promise<PlayedStep> {
  const label = step.name ?? `${step.direction}, pairs`;
  const { names, lines, server } = stage;
  const line = bestLine(lines, step.direction);
  const beganMs = monotonicMs();
  const close = await openDirectRoute(stage, line);
  const clients = {
    bonded: new Fetching(names.lan, server, stage.seed),
    direct: new Fetching(names.box, server, stage.seed),
  };
  const order = {
    direction: step.direction,
    host: step.to === 'far' ? addresses.farHost : server.address,
    port: server.port,
  };
  try {
    const played = await inTurn(step.bytes, async (bytes) => {
      const what = bytesText(bytes);
      show.phase(`${label}, ${what}`);
      const pairs = await inPairs(
        step.count,
        (i) => clients.bonded.fetch({ ...order, id: `pair-${index}-${bytes}-${i}-bonded`, bytes }),
        (i) =>
          clients.direct.fetch({
            ...order,
            id: `pair-${index}-${bytes}-${i}-direct`,
            bytes,
            from: lineAddresses(lines, line).box,
          }),
      );
      const figures = pairFigures(what, pairs);
      show.say(`${label}, ${what}: ${figures.medianOfDirect.toFixed(3)} of the direct time`);
      return { figures, checks: pairChecks(label, figures, pairs, step.limits) };
    });
    const report = {
      ...blankReport('pairs', label, (monotonicMs() - beganMs) / 1_000),
      pairs: played.map((one) => one.figures),
    };
    return { report, checks: played.flatMap((one) => one.checks) };
  } finally {
    await Promise.all([clients.bonded.end(), clients.direct.end()]);
    await close();
  }
}
