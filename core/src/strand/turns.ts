/**
 * Which bulk strand of a path carries. One does while it goes well; a sibling steps in where it is stuck in loss recovery,
 * closed or suspect. They take turns: bbr cuts a connection that carried for 10 s without a break down to four segments
 * for 200 ms (PROBE_RTT), and a connection never used has a cold window. But one that has carried and has far the narrower
 * window has no turn, and gives back the one it has: a lossy line would run at half its rate for seconds. Siblings help
 * where the one that carries has no room in its window, which is too small on a line that shakes or loses. The quick one does
 * too for a while after a turn, and where the line is still given too little: a pause may have made bbr forget its rate.
 */
import { chunkBytesMin } from '../limits.ts';
import type { StrandChoice } from '../scheduling/policy.ts';
import { segmentBytes, type Strand } from './strand.ts';

/** A strand carries this long at a time, ms: less than the 10 s after which bbr looks for a lower round trip. */
const turnMs = 7_000;
const helpMs = 1_000;
const knowsGain = 2;
const lagMs = 10;
const squeezedBytes: number = 4 * segmentBytes;

export class Turns implements StrandChoice {
  readonly #strands: readonly Strand[];
  readonly #siblingsHelp: boolean;
  /** Which one carries. */
  carrying: Strand | undefined;
  /** Since when. */
  #sinceMs = 0;

  /** Takes the path's strands, as they come and go, and whether siblings help for longer than a while. */
  constructor(strands: readonly Strand[], siblingsHelp: boolean) {
    this.#strands = strands;
    this.#siblingsHelp = siblingsHelp;
  }

  /** The bulk strand for the next chunk, or undefined where there is none; `hungry`: the line could carry far more than is on its way. */
  next(nowMs: number, hungry = false): Strand | undefined {
    this.#takeTurns(nowMs);
    const chosen = this.carrying;
    if (!chosen || (chosen.roomBytes >= chunkBytesMin && !(hungry && lags(chosen)))) return chosen;
    const helping = this.helping(nowMs);
    // What is paced is held back on purpose, for what would wait behind it on the quick strand.
    const quick = (helping || hungry) && !chosen.paced;
    return helping || (this.#siblingsHelp && !chosen.paced) ? this.#roomiest(chosen, quick, nowMs) : chosen;
  }

  /** The one that carries has begun just now: the others help it. */
  helping(nowMs: number): boolean {
    return nowMs - this.#sinceMs < helpMs;
  }

  #takeTurns(nowMs: number): void {
    const current = this.carrying;
    if (!current || !carries(current, nowMs) || (current.retiring && this.#hasFresh(nowMs))) {
      this.#turnTo(this.#best(nowMs), nowMs);
      return;
    }
    const turned = nowMs - this.#sinceMs;
    if (turned <= helpMs) return;
    for (const strand of this.#strands) {
      if (strand === current || strand.quick || strand.retiring || !carries(strand, nowMs)) continue;
      const due = turned > turnMs && !(strand.hasCarried && knowsBetter(current, strand, nowMs));
      if (due || knowsBetter(strand, current, nowMs)) {
        this.#turnTo(strand, nowMs);
        return;
      }
    }
  }

  #hasFresh(nowMs: number): boolean {
    return this.#strands.some((strand) => !strand.quick && !strand.retiring && carries(strand, nowMs));
  }

  /** The strand with the most room, be it quick where `quick` says so. */
  #roomiest(chosen: Strand, quick: boolean, nowMs: number): Strand {
    let best = chosen;
    for (const strand of this.#strands) {
      if (strand.quick && !quick) continue;
      if (strand.roomBytes < chunkBytesMin || lags(strand) || !carries(strand, nowMs)) continue;
      if (best === chosen || strand.roomBytes > best.roomBytes) best = strand;
    }
    return best;
  }

  /** Of the others the one that carries and is to stay; the one that carries now where none of them is any better. */
  #best(nowMs: number): Strand | undefined {
    const current = this.carrying;
    let best = current && serves(current) ? current : undefined;
    for (const strand of this.#strands) {
      if (strand === current || strand.quick || !serves(strand)) continue;
      const better = best === current || !best ? carries(strand, nowMs) : rank(strand, nowMs) > rank(best, nowMs);
      if (better || !best) best = strand;
    }
    return best;
  }

  #turnTo(strand: Strand | undefined, nowMs: number): void {
    this.carrying = strand;
    this.#sinceMs = nowMs;
    if (strand) strand.hasCarried = true;
  }
}

const serves = (strand: Strand): boolean =>
  strand.state === 'answered' && !strand.draining && !strand.suspect && !strand.datagram;

const carries = (strand: Strand, nowMs: number): boolean => serves(strand) && !strand.stuck(nowMs) && !squeezed(strand);

/**
 * Its window is far wider: bbr knows the line's rate there. A strand that helps beside another one learns its own share of the
 * rate only, and unlearns the rest.
 */
const knowsBetter = (one: Strand, other: Strand, nowMs: number): boolean =>
  one.widestBytes(nowMs) > knowsGain * other.widestBytes(nowMs);

/** Those that carry first, and of these the ones that are to stay. */
const rank = (strand: Strand, nowMs: number): number => (carries(strand, nowMs) ? 2 : 0) + (strand.retiring ? 0 : 1);

/** Cut down to four segments: bbr looks for a lower round trip, for 200 ms (a cold window has ten). While it idles it is not let out again, until it sends. */
export const squeezed = (strand: Strand): boolean =>
  strand.windowBytes <= squeezedBytes && (strand.unackedSegments > 0 || strand.unsentBytes > 0);

/**
 * More stands unsent in it than so much of its window's time: it is slower than what it is given. bbr takes a strand that only
 * helped for one on a slow line, and raises its rate by a quarter every eight round trips.
 */
export const lags = (strand: Strand): boolean =>
  !strand.recordsOnly &&
  strand.unsentBytes > chunkBytesMin &&
  strand.unsentBytes * strand.rttMs > lagMs * strand.windowBytes;
