import { rateText, shareText } from './figures.ts';

/** What became of requests, from their connect on. Those without an answer count as the slowest: null where a figure falls on one. */
export interface RequestFigures {
  readonly asked: number;
  /** With all bytes, and right. */
  readonly whole: number;
  readonly firstByteMsMedian: number | null;
  readonly firstByteMsP95: number | null;
  readonly wholeMsMedian: number | null;
}

/** One bulk transfer. */
export interface BulkFigures {
  readonly bytes: number;
  readonly seconds: number;
  /** From second 1 to the last byte. */
  readonly goodputBitsPerSecond: number;
  readonly ofSum: number | null;
  readonly stallMsMax: number;
}

/** Requests on idle lines, requests beside bulk, and the bulk. */
export interface MixedFigures {
  readonly idle: RequestFigures;
  readonly loaded: RequestFigures;
  readonly down: BulkFigures;
  readonly up: BulkFigures;
}

/** For people. */
export function mixedLines({ idle, loaded, down, up }: MixedFigures): string[] {
  return [
    `  requests on idle lines: ${requestsText(idle)}`,
    `  requests beside bulk: ${requestsText(loaded)}`,
    `  bulk down: ${bulkText(down)}`,
    `  bulk up: ${bulkText(up)}`,
  ];
}

function ms(value: number | null): string {
  return value === null ? '-' : value.toFixed(1);
}

function requestsText(of: RequestFigures): string {
  const first = `first byte after ${ms(of.firstByteMsMedian)} ms in the median, ${ms(of.firstByteMsP95)} ms for 95 %`;
  return `${of.whole} of ${of.asked} whole, ${first}; all bytes after ${ms(of.wholeMsMedian)} ms in the median`;
}

function bulkText(of: BulkFigures): string {
  const share = of.ofSum === null ? '' : `, ${shareText(of.ofSum)} of the sum`;
  return `${rateText(of.goodputBitsPerSecond)}${share}, longest stall ${of.stallMsMax.toFixed(0)} ms`;
}
