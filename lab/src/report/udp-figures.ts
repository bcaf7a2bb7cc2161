import { rateText, shareText } from './figures.ts';

/** One flow of UDP packets, as its receiver saw it. */
export interface UdpFigures {
  readonly sent: number;
  /** Of the packets sent, those that came: 0 to 1. */
  readonly delivered: number;
  /** Of the packets that came, those behind a later one. */
  readonly outOfOrder: number;
  /** Payload that was offered, and that came. */
  readonly offeredBitsPerSecond: number;
  readonly goodputBitsPerSecond: number;
  /** Of interarrival (RFC 3550). */
  readonly jitterMs: number;
  /** Of the packets sent once the flow had settled after its beginning or the last event, those that came; null where that was not taken. */
  readonly settled: number | null;
}

/** For people. */
export function udpLines(of: UdpFigures): string[] {
  return [
    `  ${rateText(of.goodputBitsPerSecond)} of ${rateText(of.offeredBitsPerSecond)} offered: ${shareText(of.delivered)} of ${of.sent} packets came, ` +
      `${(of.outOfOrder * 100).toFixed(3)} % of them out of order, jitter ${of.jitterMs.toFixed(1)} ms`,
    ...(of.settled === null ? [] : [`  ${shareText(of.settled)} once it had settled`]),
  ];
}
