/** A clock that differs more than this from the relay's is said to be wrong. */
const toleranceMs = 60_000;

/**
 * What to say of this machine's clock, which is ahead of the relay's by so many milliseconds (behind it where negative);
 * undefined where they agree. Nothing but the log's times depends on it.
 */
export function clockWarning(aheadMs: number): string | undefined {
  if (Math.abs(aheadMs) < toleranceMs) return undefined;
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return `this machine's clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the relay's`;
}
