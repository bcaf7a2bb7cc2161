/** What a policy's scores over many worlds come to. */
import { geometricMean, type Score } from './play-contest.ts';

export interface Standing {
  /** Geometric mean of the worlds' times; what policies are ranked by. */
  readonly time: number;
  /** Of the world that did worst but for one in twenty. */
  readonly time95: number;
  /** Geometric mean of the worlds' worst transfers. */
  readonly timeWorst: number;
  /** Share of the worlds that were slower than their best line alone, by more than a twentieth. */
  readonly slower: number;
  /** Of what the lines carry, in the median world without faults. */
  readonly share: number;
  /** Longest standstill, ms, in the world that did worst but for one in twenty. */
  readonly stallMs95: number;
  /** Bytes that arrived twice, mean share. */
  readonly twice: number;
  readonly unfinished: number;
}

const slowerFrom = 1.05;

export function standingOf(scores: readonly Score[]): Standing {
  const times = scores.map((score) => score.time);
  const count = Math.max(1, scores.length);
  return {
    time: geometricMean(times),
    time95: quantile(times, 0.95),
    timeWorst: geometricMean(scores.map((score) => score.timeWorst)),
    slower: times.filter((time) => time > slowerFrom).length / count,
    share: quantile(
      scores.flatMap((score) => score.share ?? []),
      0.5,
    ),
    stallMs95: quantile(
      scores.map((score) => score.stallMs),
      0.95,
    ),
    twice: scores.reduce((sum, score) => sum + score.twice, 0) / count,
    unfinished: scores.reduce((sum, score) => sum + score.unfinished, 0),
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
