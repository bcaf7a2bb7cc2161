/**
 * The smallest of the values that is not under this share (over 0, up to 1) of them, by the nearest rank: always a value that was seen. What never came
 * counts as Infinity; null where the share falls on such a one, or there is none.
 */
export function quantile(values: readonly number[], share: number): number | null {
  const found = values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1];
  return found === undefined || found === Infinity ? null : found;
}
