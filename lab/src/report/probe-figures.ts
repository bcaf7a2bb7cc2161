/** Something odd that had to be answered. */
export interface ProbeFigures {
  readonly asked: number;
  readonly answered: number;
  /** Median; null where nothing was answered. */
  readonly rttMs: number | null;
  /** Addresses of the routers on the way and of its end, of a traceroute; a question mark stands for one that said nothing. */
  readonly hops: readonly string[];
}

/** For people. */
export function probeText({ asked, answered, rttMs, hops }: ProbeFigures): string {
  const way = hops.length === 0 ? '' : `: ${hops.join(', ')}`;
  return `${answered} of ${asked} answered, ${rttMs === null ? '-' : `${rttMs.toFixed(1)} ms`} in the median${way}`;
}
