/**
 * Death of a path or strand, from the session's own traffic: something outstanding, nothing heard for a while, and another
 * one heard meanwhile (the witness). Heard means any segment of that connection's peer; never judged by acknowledged
 * bytes, which stand still through every loss recovery. A false alarm costs bytes, nothing else.
 */
import { ackDelayMsMax, blindSilenceMs, blindSilenceRtts, silenceMsMin, silenceRtts } from './limits.ts';
import type { Path } from './path.ts';
import { segmentBytes, type Strand } from './strand.ts';

/** A witness was heard at least this long after the suspect fell silent, ms. */
const witnessLeadMs = 20;
const delayedBytes: number = 2 * segmentBytes;
/** How late such an acknowledgement comes at most, with some room for the other end's timers, ms. */
const delayedAckMs = 60;

/** Silence that a round trip of this length does not explain, ms. */
export const silenceLimitMs = (rttMs: number): number => Math.max(silenceMsMin, silenceRtts * rttMs);

/**
 * The same for what a strand has outstanding. A connection that begins to carry on a feeble line waits behind its siblings'
 * segments and its own, longer than its round trips so far tell. Up to two segments' worth, in whatever pieces, may be
 * answered late, since the other end's TCP delays acknowledgements (RFC 1122, 4.2.3.2; 40 ms on Linux).
 */
function strandLimitMs(strand: Strand, path: Path): number {
  if (strand.recordsOnly) {
    return silenceLimitMs(Math.max(strand.rttMs, path.drainMs, path.pingRttMs)) + delayedAckMs + ackDelayMsMax;
  }
  const few = strand.unsentBytes === 0 && strand.bytesInFlight <= delayedBytes;
  return silenceLimitMs(Math.max(strand.rttMs, path.drainMs)) + (few ? delayedAckMs : 0);
}

/** The path is silent for longer than its round trip explains: another path's word would settle it. */
export function pathWantsWitness(path: Path, nowMs: number): boolean {
  if (nowMs - path.lastHeardMs <= silenceMsMin) return false;
  return path.strands.some((s) => s.state === 'answered' && !s.suspect && s.silentMs(nowMs) > strandLimitMs(s, path));
}

/** True when the path is silent although something is outstanding, while another path is heard or for very long. */
export function pathFellSilent(path: Path, paths: Iterable<Path>, nowMs: number): boolean {
  let heardMs = -Infinity;
  let silentMs = 0;
  let limitMs = Infinity;
  let rttMs = 0;
  for (const strand of path.strands) {
    if (strand.state === 'closed') continue;
    heardMs = Math.max(heardMs, strand.lastHeardMs);
    // A strand that is suspect for itself is no evidence against its path.
    if (strand.suspect) continue;
    rttMs = Math.max(rttMs, strand.rttMs);
    const ms = strand.silentMs(nowMs);
    if (ms <= strandLimitMs(strand, path) || ms < silentMs) continue;
    silentMs = ms;
    limitMs = strandLimitMs(strand, path);
  }
  if (nowMs - heardMs <= limitMs) return false;
  for (const other of paths) {
    if (other !== path && !other.suspect && other.lastHeardMs > nowMs - silentMs + witnessLeadMs) return true;
  }
  return silentMs > Math.max(blindSilenceMs, blindSilenceRtts * rttMs);
}

/** The same for one strand of a path, with any other strand as witness, its own path's included. */
export function strandFellSilent(strand: Strand, path: Path, strands: Iterable<Strand>, nowMs: number): boolean {
  const silentMs = strand.silentMs(nowMs);
  if (silentMs <= strandLimitMs(strand, path)) return false;
  for (const other of strands) {
    if (other === strand || other.suspect || other.state !== 'answered') continue;
    if (other.lastHeardMs > nowMs - silentMs + witnessLeadMs) return true;
  }
  return false;
}
