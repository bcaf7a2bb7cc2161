/** How bulk is laid over the lines: which one takes a flow's next packet. What waits for nothing has a way of its own. */
import { EarliestArrival, type Line } from '../scheduling/scheduler.ts';

/** A line that packets get through, as a spread sees it. */
export interface SpreadLine extends Line {
  /** The path's number; the box gives them in the order of its configuration. */
  id: number;
}

/** What is known of the flow. */
export interface SpreadFlow {
  readonly hash: number;
  /** The line its packets took last; 0: none yet. */
  readonly line: number;
}

export interface Spread {
  /** Every other line that has room carries a copy. */
  readonly everywhere: boolean;
  /**
   * The index of the line that takes the flow's next packet, of so many bytes, or -1: none should now. `waiting`: what all
   * bulk flows have to send, bytes.
   */
  choose(lines: readonly SpreadLine[], count: number, flow: SpreadFlow, bytes: number, waiting: number): number;
}

/** Where it arrives soonest, if that is before the other lines have brought all that waits. */
class Earliest implements Spread {
  readonly everywhere = false;
  readonly #scheduler = new EarliestArrival();
  readonly #sizes: number[] = [];

  choose(lines: readonly SpreadLine[], count: number, _: SpreadFlow, bytes: number, waiting: number): number {
    for (let i = 0; i < count; i++) this.#sizes[i] = bytes;
    return this.#scheduler.choose(lines, count, this.#sizes, waiting);
  }
}

/** The open line that answers soonest. */
class LowestDelay implements Spread {
  readonly everywhere: boolean;

  constructor(everywhere: boolean) {
    this.everywhere = everywhere;
  }

  choose(lines: readonly SpreadLine[], count: number): number {
    let best = -1;
    let bestMs = Infinity;
    for (let i = 0; i < count; i++) {
      const line = lines[i];
      if (line?.open !== true || line.delayMs >= bestMs) continue;
      best = i;
      bestMs = line.delayMs;
    }
    return best;
  }
}

/** Each open line after the other. */
class InTurn implements Spread {
  readonly everywhere = false;
  #last = 0;

  choose(lines: readonly SpreadLine[], count: number): number {
    let first = -1;
    let next = -1;
    for (let i = 0; i < count; i++) {
      const line = lines[i];
      if (line?.open !== true) continue;
      if (first < 0 || line.id < (lines[first]?.id ?? 0)) first = i;
      if (line.id > this.#last && (next < 0 || line.id < (lines[next]?.id ?? 0))) next = i;
    }
    const chosen = next < 0 ? first : next;
    if (chosen >= 0) this.#last = lines[chosen]?.id ?? 0;
    return chosen;
  }
}

/** A flow stays on the line it began on, which its hash chooses by the lines' rates (weighted rendezvous: Schindelhauer and Schomaker 2005). */
class PerFlow implements Spread {
  readonly everywhere = false;

  choose(lines: readonly SpreadLine[], count: number, flow: SpreadFlow): number {
    let best = -1;
    let bestScore = -Infinity;
    for (let i = 0; i < count; i++) {
      const line = lines[i];
      if (!line) continue;
      const score = line.id === flow.line ? Infinity : line.rate / -Math.log(share(flow.hash, line.id));
      if (score <= bestScore) continue;
      best = i;
      bestScore = score;
    }
    return lines[best]?.open === true ? best : -1;
  }
}

/** The first line of the configuration that packets get through; the others are its reserve. */
class FirstOnly implements Spread {
  readonly everywhere = false;

  choose(lines: readonly SpreadLine[], count: number): number {
    let first = -1;
    for (let i = 0; i < count; i++) if (first < 0 || (lines[i]?.id ?? 0) < (lines[first]?.id ?? 0)) first = i;
    return lines[first]?.open === true ? first : -1;
  }
}

/** A number between 0 and 1, both excluded, of a flow and a line. */
function share(hash: number, line: number): number {
  let mixed = Math.imul(hash ^ Math.imul(line, 0x9e37_79b1), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32 + 2 ** -33;
}

/** All there are, by their names in box.yaml. */
export const spreads = {
  earliest: (): Spread => new Earliest(),
  'lowest-delay': (): Spread => new LowestDelay(false),
  'per-flow': (): Spread => new PerFlow(),
  'in-turn': (): Spread => new InTurn(),
  everywhere: (): Spread => new LowestDelay(true),
  'first-only': (): Spread => new FirstOnly(),
} as const;

export type SpreadName = keyof typeof spreads;
