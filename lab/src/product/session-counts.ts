import type { DaemonStatus } from '@tresse/schema';

/** What both daemons have counted of their sessions so far. */
export interface SessionCounts {
  /** Lines taken for dead, by either side. */
  readonly pathSuspicions: number;
  /** Those that were heard again at once. */
  readonly pathSuspicionsNeedless: number;
  /** Single connections taken for dead while their line was not. */
  readonly strandSuspicions: number;
  /** Payload bytes sent once more: because they were taken for lost, or to be on the safe side. */
  readonly bytesTwice: number;
}

/** Sums over the sessions of these daemons; one that does not answer counts nothing. */
export function sessionCounts(statuses: readonly (DaemonStatus | undefined)[]): SessionCounts {
  const all = statuses.flatMap((status) => status?.sessions ?? []).map((session) => session.counters);
  const sum = (name: string): number => all.reduce((total, counters) => total + (counters[name] ?? 0), 0);
  return {
    pathSuspicions: sum('pathSuspicions'),
    pathSuspicionsNeedless: sum('pathSuspicionsNeedless'),
    strandSuspicions: sum('strandSuspicions'),
    bytesTwice: sum('bytesSentAgain') + sum('bytesHedged'),
  };
}

/** What was counted in between. A session that began anew counts from nothing, and then so does this. */
export function countedSince(before: SessionCounts, after: SessionCounts): SessionCounts {
  const since = (name: keyof SessionCounts): number =>
    after[name] >= before[name] ? after[name] - before[name] : after[name];
  return {
    pathSuspicions: since('pathSuspicions'),
    pathSuspicionsNeedless: since('pathSuspicionsNeedless'),
    strandSuspicions: since('strandSuspicions'),
    bytesTwice: since('bytesTwice'),
  };
}
