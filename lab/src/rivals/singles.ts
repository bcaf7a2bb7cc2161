import { SystemError } from '@tresse/kit';

import type { DirectionName } from '../emulator/index.ts';
import { timed } from '../measure/extent.ts';
import { beginTransfer } from '../measure/transfer.ts';
import { lanHostOf } from '../network/addresses.ts';
import { inTurn, pause } from '../process/in-turn.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import type { Stage } from '../stage.ts';
import type { RivalSettings } from './rivals.ts';

/** One line measured alone. */
export interface Single {
  readonly uplink: string;
  /** Goodput of one plain TCP connection, counted like everything else. */
  readonly downBitsPerSecond: number;
  readonly upBitsPerSecond: number;
  /** IP bits per second the line itself carried meanwhile: what its return is held against. */
  readonly downLineBitsPerSecond: number;
  readonly upLineBitsPerSecond: number;
}

type Rates = Record<DirectionName, { goodputBps: number; lineBps: number }>;

/** Lines that carry no more than this in sum are measured at the same time: a third of what the household's three carry together. */
const groupBpsMax = 50e6;

/** The lines in groups of neighbours, each measured at once: the lines share nothing but the machine, and together a group asks little of it. */
export function groupsOf(lines: readonly Pick<LineSpec, 'down' | 'up'>[]): number[][] {
  const groups: number[][] = [];
  let sumBps = Infinity;
  for (const [i, { down, up }] of lines.entries()) {
    const bps = Math.max(down.rateBps, up.rateBps);
    sumBps += bps;
    const last = groups.at(-1);
    if (last !== undefined && sumBps <= groupBpsMax) last.push(i);
    else {
      groups.push([i]);
      sumBps = bps;
    }
  }
  return groups;
}

/**
 * Measures the lines, fast ones one after another and slow ones in groups, or `together`, all at the same time: a short run has
 * no time. Needs the direct routes. Throws SystemError `SINGLE` where a line carries nothing.
 */
export async function measureSingles(
  stage: Stage,
  settings: RivalSettings,
  options: { together: boolean; onBegin: (uplinks: string[], direction: DirectionName) => void },
): Promise<Single[]> {
  const all = stage.lines.map((_, i) => i);
  const turns = options.together ? [all] : groupsOf(stage.lines);
  const rates = stage.lines.map((): Rates => ({
    down: { goodputBps: 0, lineBps: 0 },
    up: { goodputBps: 0, lineBps: 0 },
  }));
  const pieces = turns.flatMap((turn) => (['down', 'up'] as const).map((direction) => ({ turn, direction })));
  await inTurn(pieces, async ({ turn, direction }) => {
    options.onBegin(
      turn.map((i) => stage.lines[i]?.name ?? ''),
      direction,
    );
    const measured = await Promise.all(turn.map((i) => measure(stage, settings, i, direction)));
    for (const [k, i] of turn.entries()) {
      const found = measured[k];
      const of = rates[i];
      if (found && of) of[direction] = found;
    }
  });
  return stage.lines.map((line, i) => ({
    uplink: line.name,
    downBitsPerSecond: rates[i]?.down.goodputBps ?? 0,
    upBitsPerSecond: rates[i]?.up.goodputBps ?? 0,
    downLineBitsPerSecond: rates[i]?.down.lineBps ?? 0,
    upLineBitsPerSecond: rates[i]?.up.lineBps ?? 0,
  }));
}

/** How long a line of this rate is measured alone, s. */
export function singleSecondsOf(rateBps: number, settings: RivalSettings): number {
  const { singleSeconds, singleBytesMin, singleSecondsMax } = settings;
  return Math.min(Math.max(singleSeconds, (singleBytesMin * 8) / rateBps), singleSecondsMax);
}

async function measure(
  stage: Stage,
  settings: RivalSettings,
  index: number,
  direction: DirectionName,
): Promise<Rates['down']> {
  const line = stage.lines[index];
  const name = line?.name ?? '';
  const seconds = singleSecondsOf(line?.[direction].rateBps ?? Infinity, settings);
  const carried = async (): Promise<number> =>
    (await stage.emulator.counters())[index]?.[direction].deliveredBytes ?? 0;
  const transfer = beginTransfer({
    kind: direction === 'down' ? 'download' : 'upload',
    id: `single-${name}-${direction}`,
    netns: stage.names.lan,
    server: stage.server,
    from: lanHostOf(index),
    ...timed(stage, direction, seconds),
  });
  const halfMs = (seconds * 1_000) / 2;
  await pause(halfMs);
  const [before, beforeMs] = [await carried(), performance.now()];
  await pause(halfMs * 0.8);
  const lineBps = (((await carried()) - before) * 8_000) / (performance.now() - beforeMs);
  const seen = await transfer.outcome;
  const goodputBps = seen.arrivals.rateFromBps(seen.startMs + settings.countedFromSecond * 1_000);
  if (goodputBps > 0) return { goodputBps, lineBps };
  throw new SystemError(
    'SINGLE',
    `the line ${name} carried nothing ${direction}wards when measured alone: ${seen.complaint}`,
  );
}
