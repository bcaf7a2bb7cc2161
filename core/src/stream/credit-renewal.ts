import type { SessionState } from '../session/session-state.ts';
import type { Stream } from './stream.ts';

/** Streams asked at one look whether their local peer has acknowledged. */
const renewalsMax = 512;
/** So long after a look comes the next while the local peer acknowledges, and while it does not, at most, ms. */
const lookGapMsMin = 2;
const lookGapMsMax = 64;

/**
 * Credit is given back for what the local peer's TCP has acknowledged, not for what it was handed. Nobody tells of that, so
 * the kernel is asked; and of a reader that stands still more and more seldom, for there may be a thousand of them, for hours.
 */
export class CreditRenewal {
  readonly #state: SessionState;

  constructor(state: SessionState) {
    this.#state = state;
  }

  /** Asks about those that are due, a bounded number at a time. */
  look(): void {
    const state = this.#state;
    const { nowMs, unacked } = state;
    if (nowMs < state.ackLookMs) return;
    state.ackLookMs = Infinity;
    let left = renewalsMax;
    for (let i = unacked.size - 1; i >= 0; i--) {
      const stream = unacked.at(i);
      if (!stream) continue;
      if (nowMs < stream.ackLookMs) state.ackLookMs = Math.min(state.ackLookMs, stream.ackLookMs);
      else if (left-- > 0) this.renew(stream, Math.min(stream.ackLookGapMs * 2, lookGapMsMax));
      else state.ackLookMs = nowMs;
    }
  }

  /** Asks about a stream. Where not all is acknowledged it is looked at again after so long, and sooner if it goes on. */
  renew(stream: Stream, againMs: number = lookGapMsMin): void {
    const state = this.#state;
    const own = stream === state.control;
    const open = stream.receive.next > 0 && !own ? state.local.unacknowledged(stream) : 0;
    const consumed = stream.receive.next - open;
    if (open > 0) {
      state.unacked.add(stream);
      stream.ackLookGapMs = consumed > stream.ackedLocally ? lookGapMsMin : againMs;
      stream.ackLookMs = state.nowMs + stream.ackLookGapMs;
      state.ackLookMs = Math.min(state.ackLookMs, stream.ackLookMs);
    } else state.unacked.delete(stream);
    stream.ackedLocally = consumed;
    state.unrested.add(stream);
    const renewed = stream.credit.consume(consumed, state.longestRttMs(), state.nowMs);
    if (renewed && stream.receiveEnd < 0) state.pend(stream, 'credit');
  }
}
