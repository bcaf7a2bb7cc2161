/**
 * What is policy in the braid and not mechanism, in one place: the simulator's tournament plays others against the one that
 * ships (docs/simulator.md).
 */
import { bulkStrands, hedgeShare, hedgeShareEarly } from '../limits.ts';
import type { Strand } from '../strand/strand.ts';
import { Turns } from '../strand/turns.ts';
import { EarliestArrival, type Scheduler } from './scheduler.ts';

/** Which bulk strand of a path carries. */
export interface StrandChoice {
  /** The one that carried last; forgotten when it is closed. */
  carrying: Strand | undefined;
  /** The bulk strand for the next chunk, or undefined where there is none. */
  next: (nowMs: number, hungry: boolean) => Strand | undefined;
  /** The one that carries has begun just now: others help it. */
  helping: (nowMs: number) => boolean;
}

/** The queue that may stand on a filled line: of its round trip so much, but between these, ms. */
export interface QueueAllowed {
  readonly rtts: number;
  readonly msMin: number;
  readonly msMax: number;
}

export interface Policy {
  /** Which line takes the next chunk. */
  readonly scheduler: () => Scheduler;
  /** What is left of a stream is reckoned with what the others take meanwhile. */
  readonly countsOthers: boolean;
  /** A transfer whose end is not known is reckoned to go on for as much again as it has sent; else without end. */
  readonly expectsAsMuch: boolean;
  /** Bulk strands the box opens on a path, and which of them carries. */
  readonly bulkStrands: number;
  readonly strands: (strands: readonly Strand[]) => StrandChoice;
  readonly queue: QueueAllowed;
  /** Share of the bytes that speculative copies may cost: at a transfer's tail, and in its midst. */
  readonly hedgeShare: number;
  readonly hedgeShareEarly: number;
  /** At a tail an idle line carries a copy where it would be there sooner by this, ms; Infinity: only what is late goes again. */
  readonly overtakeMs: number;
}

/** The one that ships. */
export const shippedPolicy: Policy = {
  scheduler: () => new EarliestArrival(),
  countsOthers: true,
  expectsAsMuch: true,
  bulkStrands,
  strands: (strands) => new Turns(strands, true),
  // Longer on a long line, where the figures are older, up to what the buffers of ordinary modems hold.
  queue: { rtts: 0.15, msMin: 15, msMax: 40 },
  hedgeShare,
  hedgeShareEarly,
  overtakeMs: 30,
};
