/**
 * Divides a budget among those who want parts of it, max-min fair: nobody gets more than the level, whoever wants less has
 * all it wants, and the level is as high as the budget allows (Bertsekas and Gallager, Data Networks, 6.5.2). Returns the
 * level, in the budget's unit; Infinity when all wishes fit.
 */
export function fairLevel(wishes: readonly number[], budget: number): number {
  const sorted = wishes.toSorted((a, b) => a - b);
  let left = budget;
  for (const [i, wish] of sorted.entries()) {
    const level = left / (sorted.length - i);
    if (wish > level) return level;
    left -= wish;
  }
  return Infinity;
}
