/** Contestants measured by turns in one run: what disturbs the machine disturbs them alike, and medians forget the worst. */

/** The middle of some figures; the mean of the two middle ones where their number is even. NaN of none. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/** Awaits the work on each item before the next begins. Returns the results in order. */
export async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R> | R): Promise<R[]> {
  const results: R[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one after another is what this is for
  for (const item of items) results.push(await work(item));
  return results;
}

/**
 * Lets every contestant measure itself once a round, the rounds beginning with another one each. Returns what each measured,
 * in the contestants' order.
 */
export async function byTurns<R>(contestants: readonly (() => Promise<R> | R)[], rounds: number): Promise<R[][]> {
  const results: R[][] = contestants.map(() => []);
  const order = Array.from({ length: rounds }, (_, round) =>
    contestants.map((_contestant, i) => (i + round) % contestants.length),
  ).flat();
  await inTurn(order, async (i) => {
    const measured = await contestants[i]?.();
    if (measured !== undefined) results[i]?.push(measured);
  });
  return results;
}

/** Calls `work` for about `ms` milliseconds in batches. Returns the nanoseconds one call takes. */
export function nanosecondsPer(work: () => void, ms: number): number {
  let batch = 1;
  let calls = 0;
  const startedMs = performance.now();
  let nowMs = startedMs;
  while (nowMs - startedMs < ms) {
    const beforeMs = nowMs;
    for (let i = 0; i < batch; i++) work();
    calls += batch;
    nowMs = performance.now();
    if (nowMs - beforeMs < 1) batch *= 2;
  }
  return ((nowMs - startedMs) * 1e6) / calls;
}
