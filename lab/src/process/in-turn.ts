/** Awaits the work on each item before the next begins: what shares the lines must not overlap. Returns the results in order. */
export async function inTurn<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const [index, item] of items.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one after another is what this is for
    results.push(await work(item, index));
  }
  return results;
}

/** Resolves after that time. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks every so often until the answer is yes. Returns whether it was before `patienceMs` had passed. */
export async function until(asked: () => Promise<boolean>, everyMs: number, patienceMs: number): Promise<boolean> {
  const endMs = performance.now() + patienceMs;
  if (await asked()) return true;
  if (performance.now() >= endMs) return false;
  await pause(everyMs);
  return await until(asked, everyMs, endMs - performance.now());
}
