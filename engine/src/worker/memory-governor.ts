import { totalmem } from 'node:os';
/**
 * Keeps what the sessions of a worker hold within a budget, kernel queues counted: a reader that stands still lets the
 * kernel hold megabytes for each connection, and no credit bounds that. When it is too much, the sessions that hold more
 * than their fair share lose the streams that hold most; the others lose nothing.
 */
import { constrainedMemory } from 'node:process';

import { fairLevel } from '@tresse/core';

/** Of the machine's memory, or of what the process may have of it. */
const shareOfMemory = 0.25;
const budgetBytesMin = 128 * 1_048_576;
/** Shed down to this part of the budget, or the next look would find it too much again. */
const shedTo = 0.8;

/** From this part of it on one looks often. */
const nearShare = 0.25;

/** What one stream holds, and how it is ended. */
export interface HeldStream {
  readonly bytes: number;
  end(): void;
}

/** A session as the governor sees it. */
export interface Holder {
  /** What is held apart from streams, bytes. */
  readonly ownBytes: number;
  /** Those of its streams that hold anything. */
  held(): HeldStream[];
}

/** What all workers of this process may hold together, bytes. */
export function memoryBudget(): number {
  const constrained = constrainedMemory();
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.max(budgetBytesMin, memory * shareOfMemory);
}

export class MemoryGovernor {
  readonly #budgetBytes: number;
  /** Streams ended because their session held too much. */
  streamsShed = 0;
  /** At the last look, bytes. */
  heldBytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Whether much may be held, by what was at the last look or by the bytes in use here, which is known without a look. */
  near(usedBytes: number): boolean {
    return Math.max(usedBytes, this.heldBytes) > this.#budgetBytes * nearShare;
  }

  /** Looks at all sessions. Returns those that lost streams. */
  look<T extends Holder>(holders: Iterable<T>): T[] {
    const all = [...holders].map((holder) => ({ holder, streams: holder.held(), bytes: 0 }));
    for (const one of all) one.bytes = one.streams.reduce((sum, { bytes }) => sum + bytes, one.holder.ownBytes);
    this.heldBytes = all.reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.heldBytes <= this.#budgetBytes) return [];
    const level = fairLevel(
      all.map(({ bytes }) => bytes),
      this.#budgetBytes * shedTo,
    );
    return all
      .filter(({ bytes }) => bytes > level)
      .map(({ holder, streams, bytes }) => {
        this.#shed(streams, bytes - level);
        return holder;
      });
  }

  #shed(streams: HeldStream[], surplus: number): void {
    let left = surplus;
    for (const stream of streams.toSorted((a, b) => b.bytes - a.bytes)) {
      if (left <= 0 || stream.bytes === 0) return;
      stream.end();
      left -= stream.bytes;
      this.streamsShed++;
    }
  }
}
