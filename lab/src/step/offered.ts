import type { DirectionName } from '../emulator/index.ts';
import type { Single } from '../rivals/singles.ts';
import type { DoneEvent } from './step-events.ts';

/** What is needed to know what a line offered. */
type Happened = Pick<DoneEvent, 'atMs' | 'line' | 'effect'>;

/** What the lines offered on average between two moments, in bits per second: each its rate alone, and nothing while it was dead. `events` are in order. */
export function offeredBps(
  singles: readonly Single[],
  events: readonly Happened[],
  direction: DirectionName,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): number {
  if (toMs <= fromMs) return 0;
  const inside = (ms: number): number => Math.min(toMs, Math.max(fromMs, ms));
  return singles.reduce((sum, single) => {
    let deadMs = 0;
    let deadSince: number | undefined;
    for (const { atMs, line, effect } of events) {
      if (line !== single.uplink || effect === 'changed') continue;
      if (effect !== 'returned') deadSince ??= inside(atMs);
      else if (deadSince !== undefined) {
        deadMs += inside(atMs) - deadSince;
        deadSince = undefined;
      }
    }
    if (deadSince !== undefined) deadMs += toMs - deadSince;
    return sum + single[`${direction}BitsPerSecond`] * (1 - deadMs / (toMs - fromMs));
  }, 0);
}
