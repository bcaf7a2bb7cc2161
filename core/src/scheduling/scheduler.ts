/**
 * Which line takes the next chunk. Pull: a line takes when little stands unsent in it. Earliest arrival: it takes only if
 * the chunk would arrive there before the other lines could have delivered all that is left; so a small transfer stays on
 * the line that answers soonest, a large one spreads, and a line that would cost more than it brings is left out.
 *
 * With d_j the delay at which line j starts to deliver what is put into it now and r_j its rate, the others deliver R
 * bytes by the T that solves sum r_j * max(0, T - d_j) = R.
 */

/** A line as the scheduler sees it. */
export interface Line {
  /** Takes a chunk now: not blocked and little unsent. */
  open: boolean;
  /** Bytes that stand unsent in it. */
  unsentBytes: number;
  /** Bytes per second; 0: not to be reckoned with. */
  rate: number;
  /** One way, queue included, ms. */
  delayMs: number;
}

export interface Scheduler {
  /**
   * The index of the line that takes the next chunk, or -1: none should now. `sizes[i]` is what line i would take,
   * `remaining` the bytes left to send (Infinity while the source gives more).
   */
  choose(lines: readonly Line[], count: number, sizes: readonly number[], remaining: number): number;
}

/** Milliseconds until a line starts to deliver what is put into it now. */
const startMs = (line: Line): number => (line.unsentBytes * 1_000) / line.rate + line.delayMs;

export class EarliestArrival implements Scheduler {
  choose(lines: readonly Line[], count: number, sizes: readonly number[], remaining: number): number {
    let best = -1;
    let bestMs = Infinity;
    let soonestMs = Infinity;
    for (let i = 0; i < count; i++) {
      const line = lines[i];
      if (!line || line.rate <= 0) continue;
      const arrivalMs = startMs(line) + (Math.min(sizes[i] ?? 0, remaining) * 1_000) / line.rate;
      soonestMs = Math.min(soonestMs, arrivalMs);
      if (line.open && arrivalMs < bestMs) {
        bestMs = arrivalMs;
        best = i;
      }
    }
    // The soonest of all never waits: only a line that is worse than a busy one may be left out.
    if (best < 0 || remaining === Infinity || bestMs <= soonestMs) return best;
    return bestMs <= othersFinishMs(lines, count, best, remaining) ? best : -1;
  }
}

/** When the lines other than `except` could have delivered `bytes`, ms from now; Infinity when there is no other. */
export function othersFinishMs(lines: readonly Line[], count: number, except: number, bytes: number): number {
  // Water-filling: the finish time with the lines that start before it. Few lines, so quadratic is cheapest.
  let finishMs = Infinity;
  for (let limit = 0; limit < count; limit++) {
    const bound = lines[limit];
    if (limit === except || !bound || bound.rate <= 0) continue;
    const boundMs = startMs(bound);
    let rate = 0;
    let head = 0;
    for (let j = 0; j < count; j++) {
      const line = lines[j];
      if (j === except || !line || line.rate <= 0) continue;
      const ms = startMs(line);
      if (ms > boundMs) continue;
      rate += line.rate;
      head += line.rate * ms;
    }
    finishMs = Math.min(finishMs, Math.max(boundMs, (bytes * 1_000 + head) / rate));
  }
  return finishMs;
}
