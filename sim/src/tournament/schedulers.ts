/** Schedulers of the field, to play against the one that ships. */
import type { Scheduler, SchedulerLine } from '@tresse/core';

/** The open line with the least of something. */
function least(lines: readonly SchedulerLine[], count: number, of: (line: SchedulerLine, i: number) => number): number {
  let best = -1;
  let bestValue = Infinity;
  for (let i = 0; i < count; i++) {
    const line = lines[i];
    if (!line?.open || line.rate <= 0) continue;
    const value = of(line, i);
    if (value >= bestValue) continue;
    bestValue = value;
    best = i;
  }
  return best;
}

/** Among the lines with room the one with the lowest delay (the default of kernel MPTCP for long). */
export class LowestDelay implements Scheduler {
  choose(lines: readonly SchedulerLine[], count: number): number {
    return least(lines, count, (line) => line.delayMs);
  }
}

/** One after the other, among those with room. */
export class RoundRobin implements Scheduler {
  #last = -1;

  choose(lines: readonly SchedulerLine[], count: number): number {
    const chosen = least(lines, count, (_, i) => (i - this.#last - 1 + count) % count);
    if (chosen >= 0) this.#last = chosen;
    return chosen;
  }
}

/** The line that has had least, measured by its rate. */
export class WeightedByRate implements Scheduler {
  /** Given so far in units of the line's rate; forgotten by half now and then, so that a line that changed is not made up for. */
  readonly #given: number[] = [];

  choose(lines: readonly SchedulerLine[], count: number, sizes: readonly number[]): number {
    const given = this.#given;
    while (given.length < count) given.push(given.length === 0 ? 0 : Math.max(...given));
    const chosen = least(lines, count, (_, i) => given[i] ?? 0);
    const line = lines[chosen];
    if (line) given[chosen] = (given[chosen] ?? 0) + (sizes[chosen] ?? 0) / line.rate;
    return chosen;
  }
}

/** Soonest arrival among the lines with room, and no line is ever left out: pull alone. */
export class SoonestOfOpen implements Scheduler {
  choose(lines: readonly SchedulerLine[], count: number, sizes: readonly number[], remaining: number): number {
    return least(lines, count, (line, i) => arrivalMs(line, Math.min(sizes[i] ?? 0, remaining)));
  }
}

/** Soonest arrival of all, be the line busy: then nothing is sent (waits for the best line). */
export class SoonestOfAll implements Scheduler {
  choose(lines: readonly SchedulerLine[], count: number, sizes: readonly number[], remaining: number): number {
    const best = new SoonestOfOpen().choose(lines, count, sizes, remaining);
    const line = lines[best];
    if (!line) return best;
    const bestMs = arrivalMs(line, Math.min(sizes[best] ?? 0, remaining));
    for (let i = 0; i < count; i++) {
      const other = lines[i];
      if (!other || other.rate <= 0 || other.open) continue;
      if (arrivalMs(other, Math.min(sizes[i] ?? 0, remaining)) < bestMs) return -1;
    }
    return best;
  }
}

const arrivalMs = (line: SchedulerLine, bytes: number): number =>
  ((line.unsentBytes + bytes) * 1_000) / line.rate + line.delayMs;
