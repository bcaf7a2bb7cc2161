/**
 * Plain TCP over one line, a connection for each transfer: what every bond is held against, and what the model is calibrated
 * by. Sender and receiver begin when the connection stands.
 */
import type { Prng } from '@tresse/kit';

import { Clock } from './clock.ts';
import { befall, type Fault } from './fault.ts';
import { Line, type LineSpec } from './line.ts';
import { TcpHalf } from './tcp-half.ts';

/** What is written at a time, and held ahead of what is sent, bytes. */
const writeBytes = 16_384;
const aheadBytes = 262_144;

export interface PlainTransfer {
  readonly opensAtMs: number;
  readonly bytes: number;
  /** Towards the box; else from it. */
  readonly down: boolean;
}

/** What became of a transfer, ms on the clock of its line. */
export interface PlainOutcome {
  firstMs: number;
  lastMs: number;
  bytes: number;
  /** In the first second after the first byte. */
  firstSecondBytes: number;
  /** Longest time without a byte. */
  gapMs: number;
}

/** Carries all transfers over a line, with what happens to it meanwhile, until `untilMs` at most. */
export function plainTcp(
  spec: LineSpec,
  transfers: readonly PlainTransfer[],
  faults: readonly Fault[],
  untilMs: number,
  prng: Prng,
): PlainOutcome[] {
  const clock = new Clock();
  const line = new Line(1, spec, prng);
  for (const fault of faults) clock.at(fault.atMs, () => befall(line, clock, fault));
  let left = transfers.length;
  const outcomes = transfers.map((transfer) => {
    const outcome = { firstMs: 0, lastMs: 0, bytes: 0, firstSecondBytes: 0, gapMs: 0 };
    // SYN and its answer, then the request, which is small.
    clock.at(transfer.opensAtMs, () => {
      const rttMs = 2 * line.delayMs + line.down.queueMs(clock.nowMs) + line.up.queueMs(clock.nowMs);
      clock.at(clock.nowMs + (transfer.down ? 1.5 : 1) * rttMs, () => {
        carry(clock, line, transfer, rttMs, outcome, () => left--);
      });
    });
    return outcome;
  });
  clock.run(untilMs, () => left === 0);
  return outcomes;
}

function carry(
  clock: Clock,
  line: Line,
  transfer: PlainTransfer,
  rttMs: number,
  outcome: PlainOutcome,
  onDone: () => void,
): void {
  let given = 0;
  const feed = (): void => {
    while (given < transfer.bytes && half.unsentBytes < aheadBytes) {
      const count = Math.min(writeBytes, transfer.bytes - given);
      given += count;
      half.write(new Uint8Array(0), count);
    }
  };
  const [way, back] = transfer.down ? [line.down, line.up] : [line.up, line.down];
  const half = new TcpHalf(clock, line, way, back, rttMs, {
    receives: () => true,
    swallowed: () => false,
    onBytes: (count) => {
      const { nowMs } = clock;
      if (outcome.bytes === 0) outcome.firstMs = nowMs;
      else outcome.gapMs = Math.max(outcome.gapMs, nowMs - outcome.lastMs);
      outcome.lastMs = nowMs;
      outcome.bytes += count;
      if (nowMs <= outcome.firstMs + 1_000) outcome.firstSecondBytes = outcome.bytes;
      if (outcome.bytes === transfer.bytes) onDone();
    },
    onWhole: () => {},
    onAcked: feed,
    onRefused: () => {},
    onGivenUp: () => {},
  });
  feed();
}
