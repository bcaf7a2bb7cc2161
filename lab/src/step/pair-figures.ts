import { isDirect, isRelay } from '../network/addresses.ts';
import { median } from '../report/median.ts';
import { quantile } from '../report/quantile.ts';
import { type Check, check, type PairFigures, truth } from '../report/report.ts';
import type { PairLimits } from '../scenario/pairs-step.ts';

/** One transfer of a pair. */
export interface PairSide {
  /** From the client's connect to the last byte. */
  readonly ms: number;
  readonly whole: boolean;
  /** Whose address the server saw. */
  readonly from: string;
  readonly why: string;
}

/** The same transfer twice. */
export interface Pair {
  readonly bonded: PairSide;
  readonly direct: PairSide;
}

export function pairFigures(what: string, pairs: readonly Pair[]): PairFigures {
  const ratios = pairs.map(({ bonded, direct }) => bonded.ms / direct.ms);
  return {
    what,
    count: pairs.length,
    medianMs: median(pairs.map((pair) => pair.bonded.ms)),
    directMedianMs: median(pairs.map((pair) => pair.direct.ms)),
    medianOfDirect: median(ratios),
    p95OfDirect: quantile(ratios, 0.95),
    timesMs: pairs.map(({ bonded, direct }) => [bonded.ms, direct.ms]),
  };
}

/** What pairs of one kind had to hold. */
export function pairChecks(label: string, figures: PairFigures, pairs: readonly Pair[], limits: PairLimits): Check[] {
  const name = `${label}, ${figures.what}`;
  const bad = pairs.filter(({ bonded }) => !bonded.whole || !isRelay(bonded.from));
  const badDirect = pairs.filter(({ direct }) => !direct.whole || !isDirect(direct.from));
  const why = bad[0]?.bonded ?? badDirect[0]?.direct;
  return [
    truth(
      `${name}: every one whole, and seen from where it should be`,
      why === undefined,
      `${bad.length} by the relay and ${badDirect.length} direct ones not: ${why?.why || `seen from ${why?.from || 'nowhere'}`}`,
    ),
    ...(limits.medianOfDirectMax === undefined
      ? []
      : [check(`${name}: median of direct`, figures.medianOfDirect, 'max', limits.medianOfDirectMax)]),
    ...(limits.p95OfDirectMax === undefined
      ? []
      : [check(`${name}: 95th percentile of direct`, figures.p95OfDirect, 'max', limits.p95OfDirectMax)]),
  ];
}
