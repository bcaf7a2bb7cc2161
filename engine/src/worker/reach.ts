/**
 * Whether the relay is reached, judged by the session's own traffic: a strand that is answered and not silent, by records,
 * since a proxy's TCP acknowledges for a relay that is gone. Two limits
 * hang on how long that is past: after the first new connections are held instead of begun (what is begun is bound to the
 * relay), after the second they are better off without it.
 */
import type { Session } from '@tresse/core';

/** New connections wait from here on, ms; and at least so many round trips. */
const holdMsMin = 500;
const holdRtts = 3;
/** The relay counts as gone from here on, ms. */
const goneMs = 3_000;

/** `doubtful`: not heard for a moment. */
export type Reached = 'yes' | 'doubtful' | 'no';

export class Reach {
  #state: Reached = 'doubtful';
  /** When the relay was last known to be there, ms. */
  #seenMs: number;
  #holdMs = holdMsMin;
  #silentStrands = 0;

  /** `nowMs`: the start; the relay has the same time from here as after a loss. */
  constructor(nowMs: number) {
    this.#seenMs = nowMs;
  }

  get state(): Reached {
    return this.#state;
  }

  /** The relay has just made a handshake. */
  saw(nowMs: number): void {
    this.#seenMs = nowMs;
  }

  /** Looks at the session, if there is one. Returns whether the relay came or went: `doubtful` is neither. */
  update(session: Session | undefined, nowMs: number): boolean {
    const before = this.#state;
    this.#look(session, nowMs);
    const awayMs = nowMs - this.#seenMs;
    if (awayMs >= goneMs) this.#state = 'no';
    else if (session && awayMs < this.#holdMs) this.#state = 'yes';
    else if (before !== 'no') this.#state = 'doubtful';
    return (this.#state === 'no') !== (before === 'no');
  }

  /** Why the state is what it is, for people. */
  evidence(nowMs: number): string {
    if (this.#state !== 'no') return 'a connection to the relay is answered';
    const away = ((nowMs - this.#seenMs) / 1_000).toFixed(1);
    if (this.#silentStrands === 0) return `no connection to the relay stands, for ${away} s`;
    return `${this.#silentStrands} connections to the relay wait for an answer, the last one came ${away} s ago`;
  }

  /** A strand that has nothing to be answered is as good as it was when last heard; all of them together prove nothing. */
  #look(session: Session | undefined, nowMs: number): void {
    this.#silentStrands = 0;
    let seenMs = -Infinity;
    let asked = false;
    for (const strand of session?.strands.values() ?? []) {
      if (strand.state !== 'answered') continue;
      const path = session?.paths.get(strand.path);
      const silentMs = Math.max(strand.silentMs(nowMs), strand.unansweredMs(nowMs));
      const holdMs = Math.max(holdMsMin, holdRtts * Math.max(strand.rttMs, path?.rttMs ?? 0));
      asked ||= silentMs > 0 || strand.suspect;
      if (silentMs >= holdMs || strand.suspect || path?.suspect === true) this.#silentStrands++;
      else if (path?.up !== false) {
        this.#holdMs = holdMs;
        seenMs = Math.max(seenMs, silentMs > 0 ? nowMs - silentMs : strand.recordHeardMs);
      }
    }
    if (seenMs > -Infinity) this.#seenMs = Math.max(this.#seenMs, asked ? seenMs : nowMs);
  }
}
