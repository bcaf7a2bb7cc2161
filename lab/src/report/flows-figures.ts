import { bytesText, rateText } from './figures.ts';
import { median } from './median.ts';

/** Flows of about one size; rates in bits per second from a flow's connect to its last byte. */
export interface ClassFigures {
  /** Sizes from here, and up to there. */
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly flows: number;
  readonly medianBitsPerSecond: number;
  /** Mean over the slowest tenth. */
  readonly slowestTenthBitsPerSecond: number;
  readonly slowestBitsPerSecond: number;
}

/** Many flows at once. */
export interface FlowsFigures {
  readonly flows: number;
  /** With all bytes, and right. */
  readonly whole: number;
  readonly classes: ClassFigures[];
}

/** A class of rates; one that did not come to its end counts as 0. */
export function classFigures(minBytes: number, maxBytes: number, rates: readonly number[]): ClassFigures {
  const sorted = rates.toSorted((a, b) => a - b);
  const tenth = sorted.slice(0, Math.ceil(sorted.length / 10));
  return {
    minBytes,
    maxBytes,
    flows: rates.length,
    medianBitsPerSecond: median(sorted),
    slowestTenthBitsPerSecond: tenth.reduce((sum, rate) => sum + rate, 0) / Math.max(1, tenth.length),
    slowestBitsPerSecond: sorted[0] ?? 0,
  };
}

/** For people. */
export function flowsLines({ flows, whole, classes }: FlowsFigures): string[] {
  return [
    `  ${whole} of ${flows} whole`,
    ...classes.map(
      (c) =>
        `  ${bytesText(c.minBytes)} to ${bytesText(c.maxBytes)}: ${c.flows} flows at ${rateText(c.medianBitsPerSecond)} in the median, ${rateText(c.slowestTenthBitsPerSecond)} in the slowest tenth, ${rateText(c.slowestBitsPerSecond)} at least`,
    ),
  ];
}
