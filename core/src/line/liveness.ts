/**
 * Death of a path or strand, from the session's own traffic: something outstanding, nothing heard for a while, and another
 * one heard meanwhile (the witness). Heard means any segment of that connection's peer; never judged by acknowledged
 * bytes, which stand still through every loss recovery. A false alarm costs bytes, nothing else.
 */
import { ackDelayMsMax, blindSilenceMs, blindSilenceRtts, silenceMsMin, silenceRtts } from '../limits.ts';
import { segmentBytes, type Strand } from '../strand/strand.ts';
import type { Path } from './path.ts';

/** A witness was heard at least this long after the suspect fell silent, ms. */
const witnessLeadMs = 20;
const delayedBytes: number = 2 * segmentBytes;
/** How late such an acknowledgement comes at most, with some room for the other end's timers, ms. */
const delayedAckMs = 60;
/** An answer this late, ms, is worth a question to others. */
const lateMs = 20;
const lateDelayedAckMs = 45;
/** A flight is given to the kernel within this, ms. */
const flightMs = 10;
/** Whoever was asked may need longer to answer than a verdict may wait, ms. */
const doubtMs = 35;

/** Silence that a round trip of this length does not explain, ms. */
export const silenceLimitMs = (rttMs: number): number => Math.max(silenceMsMin, silenceRtts * rttMs);

/**
 * Up to two segments' worth, in whatever pieces, may be answered late, since the other end's TCP delays acknowledgements
 * (RFC 1122, 4.2.3.2; 40 ms on Linux).
 */
const few = (strand: Strand): boolean => strand.unsentBytes === 0 && strand.bytesInFlight <= delayedBytes;

/**
 * Notes what an answer waits for, after the kernel's figures have come in. A connection that begins to carry on a feeble
 * line waits behind its siblings' segments and its own, longer than its round trips so far tell; but what is sent into a
 * silence does not make it longer.
 */
export function notePatience(strand: Strand, path: Path, nowMs: number): void {
  if (strand.silentMs(nowMs) <= flightMs) strand.drainMs = path.drainMs;
}

/** The round trip as far as it is known, ms: strands of a line stand in the same queue. */
const roundTripMs = (strand: Strand, path: Path): number =>
  Math.max(strand.rttMs, path.longestRttMs, strand.recordsOnly ? path.pingRttMs : 0);

/** What stands before an answer, ms. Where a sibling is silent too, it is no queue that holds both up. */
const queuedMs = (strand: Strand, path: Path): number => (path.doubtful ? 0 : strand.drainMs);

/** How long an answer takes at most while all is well, ms. */
const answerMs = (strand: Strand, path: Path): number => Math.max(roundTripMs(strand, path), queuedMs(strand, path));

/** Silence that what a strand has outstanding does not explain, ms. */
function strandLimitMs(strand: Strand, path: Path): number {
  const rttMs = roundTripMs(strand, path);
  const limitMs = Math.max(silenceLimitMs(rttMs), queuedMs(strand, path) + lateMs);
  if (strand.recordsOnly) return Math.max(limitMs, rttMs + delayedAckMs + ackDelayMsMax);
  return Math.max(limitMs, few(strand) ? rttMs + delayedAckMs : 0);
}

/** When a verdict waits for no witness whose answer cannot be there yet, ms of silence. */
function overdueMs(strand: Strand, path: Path): number {
  return Math.max(strandLimitMs(strand, path), silenceLimitMs(roundTripMs(strand, path)) + doubtMs);
}

/** How long an answer may take before it is late, if not long enough for a verdict, ms. PING is answered at once. */
function dueAfterMs(strand: Strand, path: Path): number {
  return answerMs(strand, path) + (few(strand) && strand.pingToken < 0 ? lateDelayedAckMs : lateMs);
}

/** The strand's silence is no longer explained, and nothing was heard of its path since it was. */
function late(strand: Strand, path: Path, heardMs: number, nowMs: number): boolean {
  const silentMs = strand.silentMs(nowMs);
  const lateForMs = silentMs - dueAfterMs(strand, path);
  return silentMs > 0 && lateForMs > 0 && nowMs - heardMs >= lateForMs;
}

/** The strand's silence may well be its whole path's. */
export const speaksForPath = (strand: Strand, path: Path, nowMs: number): boolean =>
  late(strand, path, path.lastHeardMs, nowMs);

/** The path owes an answer and is not heard: others' word would settle it. */
export function pathIsLate(path: Path, nowMs: number): boolean {
  const heardMs = path.lastHeardMs;
  if (nowMs - heardMs <= lateMs) return false;
  return path.strands.some((s) => s.state === 'answered' && !s.suspect && late(s, path, heardMs, nowMs));
}

/**
 * True when the path is silent although something is outstanding, while another path is heard or for very long. One strand
 * proves nothing against its path as long as another one may still answer: a lost segment silences a connection too.
 */
export function pathFellSilent(path: Path, paths: Iterable<Path>, nowMs: number): boolean {
  const heardMs = path.lastHeardMs;
  let silentMs = 0;
  let limitMs = Infinity;
  let waitMs = Infinity;
  let rttMs = 0;
  for (const strand of path.strands) {
    if (strand.state === 'closed') continue;
    rttMs = Math.max(rttMs, strand.rttMs);
    const ms = strand.silentMs(nowMs);
    const limit = strandLimitMs(strand, path);
    if (ms <= limit || ms < silentMs || !late(strand, path, heardMs, nowMs)) continue;
    silentMs = ms;
    limitMs = limit;
    waitMs = overdueMs(strand, path);
  }
  if (nowMs - heardMs <= limitMs || path.strands.some((one) => mayAnswer(one, path, nowMs))) return false;
  let asked = false;
  for (const other of paths) {
    if (other === path || other.suspect) continue;
    if (other.lastHeardMs > nowMs - silentMs + witnessLeadMs) return true;
    asked ||= other.up && other.strands.some((one) => mayAnswer(one, other, nowMs));
  }
  if (asked && silentMs > waitMs) return true;
  return silentMs > Math.max(blindSilenceMs, blindSilenceRtts * rttMs);
}

/** The strand was asked something, and its answer is on its way if all is well there. */
const mayAnswer = (strand: Strand, path: Path, nowMs: number): boolean =>
  strand.state === 'answered' &&
  !strand.suspect &&
  strand.outstandingSinceMs !== Infinity &&
  strand.silentMs(nowMs) <= dueAfterMs(strand, path);

/** The same for one strand of a path, with any other strand as witness, its own path's included. */
export function strandFellSilent(strand: Strand, paths: ReadonlyMap<number, Path>, nowMs: number): boolean {
  const own = paths.get(strand.path);
  const silentMs = strand.silentMs(nowMs);
  if (!own || silentMs <= strandLimitMs(strand, own)) return false;
  const overdue = silentMs > overdueMs(strand, own);
  for (const path of paths.values()) {
    for (const other of path.strands) {
      if (other === strand || other.suspect || other.state !== 'answered') continue;
      if (other.lastHeardMs > nowMs - silentMs + witnessLeadMs) return true;
      if (overdue && mayAnswer(other, path, nowMs)) return true;
    }
  }
  return false;
}
