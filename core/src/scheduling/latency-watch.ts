/**
 * Whether bulk must keep the lines' queues short: while anything interactive lives, which would wait in them; and while
 * bulk comes the other way, whose acknowledgements would. Else bulk may have all it can use.
 */
import type { Stream } from '../stream/stream.ts';

/** An interactive stream lives for so long after its last bytes, ms: whoever reads a page asks for the next thing. */
const livesMs = 3_000;
/** Bulk comes while less than this has passed since its last bytes, ms. */
const comesMs = 500;

export class LatencyWatch {
  #stirred: Stream | undefined;
  #stirredMs = -Infinity;
  #bulkMs = -Infinity;

  /** A stream that is not bulk began, or has sent or received. */
  stir(stream: Stream, nowMs: number): void {
    this.#stirred = stream;
    this.#stirredMs = nowMs;
  }

  /** A bulk stream has received. */
  bulkCame(nowMs: number): void {
    this.#bulkMs = nowMs;
  }

  /** `isBulk` says what has become of a stream since: one that is bulk now was a transfer's beginning. */
  matters(isBulk: (stream: Stream) => boolean, nowMs: number): boolean {
    if (nowMs - this.#bulkMs < comesMs) return true;
    const stream = this.#stirred;
    return stream !== undefined && nowMs - this.#stirredMs < livesMs && !isBulk(stream);
  }
}
