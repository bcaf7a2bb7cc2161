import type { SessionCounts } from '../product/session-counts.ts';
import type { DaemonFigures } from '../report/report.ts';

/** What was counted while a step carried so many bytes. */
export function daemonFigures({ bytesTwice, ...suspicions }: SessionCounts, bytes: number): DaemonFigures {
  return { ...suspicions, sentTwice: bytes === 0 ? null : bytesTwice / bytes };
}
