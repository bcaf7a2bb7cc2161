import { chunkBytesMin } from '../limits.ts';
/**
 * The lines as they stand now, for the scheduler: which takes a chunk, how large a one, and when it would arrive. Looked at
 * anew for every record; nothing is allocated while the lines stay the same.
 */
import { chunkSize, wholeSegments } from '../line/chunk-size.ts';
import type { Path } from '../line/path.ts';
import type { SessionState } from '../session/session-state.ts';
import { segmentBytes, type Strand } from '../strand/strand.ts';
import type { Stream } from '../stream/stream.ts';
import type { Line, Scheduler } from './scheduler.ts';

/** A line takes the next chunk while no more than this stands unsent in it: its time in ms, or a segment. */
const unsentMsMax = 10;

/** A line that could carry, with the strand that would. */
export interface Candidate extends Line {
  path: Path;
  strand: Strand;
  /** What it would take, bytes. */
  size: number;
  /** It is metered and others carry: only for streams that are bound to it. */
  spared: boolean;
}

export class LineSurvey {
  readonly #state: SessionState;
  readonly #scheduler: Scheduler;
  readonly #lines: Candidate[] = [];
  readonly #sizes: number[] = [];
  #count = 0;
  #spared = 0;
  #bulk = false;

  constructor(state: SessionState) {
    this.#state = state;
    this.#scheduler = state.policy.scheduler();
  }

  /** Looks at all lines, for bulk or for interactive streams. Returns how many take something now. */
  look(bulk: boolean): number {
    const { nowMs, paths } = this.#state;
    this.#bulk = bulk;
    this.#count = 0;
    this.#spared = 0;
    let open = 0;
    for (const path of paths.values()) {
      if (!path.usable) continue;
      const strand = bulk ? path.bulk(nowMs) : (path.quick() ?? path.bulk(nowMs));
      // One stuck in loss recovery is not worth waiting for.
      if (!strand || strand.state !== 'answered' || strand.stuck(nowMs)) continue;
      if (this.#add(path, strand, nowMs)) open++;
    }
    return open;
  }

  /** The line for a stream's next new chunk of at most `remaining` bytes in all (Infinity: more will come), or undefined. */
  forNew(stream: Stream, remaining: number): Candidate | undefined {
    if (stream.paths.length === 0 && this.#spared === 0) return this.#choose(remaining);
    this.#leaveOut(stream, 0);
    return this.#chooseOrLookAgain(remaining);
  }

  /**
   * The line for a chunk that another one lost: where it arrives soonest, be it one that must be waited for (then
   * undefined), and not the one that lost it (0: any will do) while another is there.
   */
  forLost(stream: Stream, length: number, lostBy: number): Candidate | undefined {
    let others = false;
    for (let i = 0; i < this.#count; i++) {
      const line = this.#lines[i];
      others ||= line !== undefined && line.path.id !== lostBy && serves(line, stream);
      this.#sizes[i] = length;
    }
    this.#leaveOut(stream, others ? lostBy : 0);
    return this.#chooseOrLookAgain(length);
  }

  #add(path: Path, strand: Strand, nowMs: number): boolean {
    const rate = path.rate();
    const known = path.measuredRate > 0;
    // What is not let go is not on the line, and what leaves by another strand passes it.
    const passedBytes = this.#bulk ? path.passedBytes(strand) : path.unsentBytes - strand.unsentBytes;
    const outstandingBytes = path.outstandingBytes(nowMs) - passedBytes;
    const unsentBytes = path.unsentBytes - passedBytes;
    // More than the strand's window takes would wait a round trip there, and everything behind it.
    const size = Math.min(
      known ? chunkSize(rate) : chunkBytesMin,
      wholeSegments(Math.max(strand.roomBytes, chunkBytesMin)),
    );
    const open =
      strand.usable &&
      (strand.unsentBytes === 0 || strand.roomBytes > 0) &&
      unsentBytes <= Math.max((rate * unsentMsMax) / 1_000, segmentBytes) &&
      outstandingBytes < path.windowBytes(nowMs) &&
      path.allowance.ready(nowMs);
    const spared = this.#state.spares(path);
    if (spared) this.#spared++;
    // A line nobody has filled may be a feeble one: the first flight is spread over all, a little on each.
    const aheadBytes = known ? unsentBytes : outstandingBytes;
    const at = this.#count++;
    this.#sizes[at] = size;
    const line = this.#lines[at];
    if (line) {
      line.path = path;
      line.strand = strand;
      line.rate = rate;
      line.unsentBytes = aheadBytes;
      line.delayMs = path.delayMs;
      line.size = size;
      line.open = open;
      line.spared = spared;
    } else {
      this.#lines.push({ path, strand, rate, unsentBytes: aheadBytes, delayMs: path.delayMs, size, open, spared });
    }
    return open;
  }

  /** Lines that do not count for this stream, and another one: neither taken nor waited for. */
  #leaveOut(stream: Stream, but: number): void {
    for (let i = 0; i < this.#count; i++) {
      const line = this.#lines[i];
      if (!line || (line.path.id !== but && serves(line, stream))) continue;
      line.open = false;
      line.rate = 0;
    }
  }

  #choose(remaining: number): Candidate | undefined {
    return this.#lines[this.#scheduler.choose(this.#lines, this.#count, this.#sizes, remaining)];
  }

  /** What was changed for one stream must not be there for the next. */
  #chooseOrLookAgain(remaining: number): Candidate | undefined {
    const line = this.#choose(remaining);
    if (!line) this.look(this.#bulk);
    return line;
  }
}

/** A stream without rule uses what is not spared; a rule names its lines. */
const serves = (line: Candidate, stream: Stream): boolean =>
  stream.paths.length === 0 ? !line.spared : stream.allows(line.path.id);
