import type { Strand, StrandChoice } from '@tresse/core';

/** All bulk strands of a path carry at a time: the one with the most room takes the next chunk. */
export class AllStrands implements StrandChoice {
  carrying: Strand | undefined;
  readonly #strands: readonly Strand[];

  constructor(strands: readonly Strand[]) {
    this.#strands = strands;
  }

  next(nowMs: number): Strand | undefined {
    let best: Strand | undefined;
    for (const strand of this.#strands) {
      if (strand.quick || !strand.usable || strand.stuck(nowMs)) continue;
      if (!best || strand.roomBytes > best.roomBytes) best = strand;
    }
    // None that goes well: as the one that ships, the old one goes on.
    if (!best && this.carrying?.state === 'answered' && !this.carrying.suspect) best = this.carrying;
    this.carrying = best;
    return best;
  }

  helping(): boolean {
    return true;
  }
}
