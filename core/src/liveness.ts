/**
 * Death of a path or strand, from the session's own traffic: something outstanding, nothing heard for a while, and another
 * one heard meanwhile (the witness). Heard means any segment of that connection's peer; never judged by acknowledged
 * bytes, which stand still through every loss recovery. A false alarm costs bytes, nothing else.
 */
import { blindSilenceMs, blindSilenceRtts, silenceMsMin, silenceRtts } from './limits.ts';
import type { Path } from './path.ts';
import type { Strand } from './strand.ts';

/** A witness was heard at least this long after the suspect fell silent, ms. */
const witnessLeadMs = 20;

/** Silence that a round trip of this length does not explain, ms. */
export const silenceLimitMs = (rttMs: number): number => Math.max(silenceMsMin, silenceRtts * rttMs);

/** True when the path is silent although something is outstanding, while another path is heard or for very long. */
export function pathFellSilent(path: Path, paths: Iterable<Path>, nowMs: number): boolean {
  let silentMs = 0;
  let heardMs = -Infinity;
  let rttMs = 0;
  for (const strand of path.strands) {
    if (strand.state === 'closed') continue;
    heardMs = Math.max(heardMs, strand.lastHeardMs);
    // A strand that is suspect for itself is no evidence against its path.
    if (strand.suspect) continue;
    silentMs = Math.max(silentMs, strand.silentMs(nowMs));
    rttMs = Math.max(rttMs, strand.rttMs);
  }
  if (silentMs === 0 || nowMs - heardMs <= silenceLimitMs(rttMs) || silentMs <= silenceLimitMs(rttMs)) return false;
  for (const other of paths) {
    if (other !== path && !other.suspect && other.lastHeardMs > nowMs - silentMs + witnessLeadMs) return true;
  }
  return silentMs > Math.max(blindSilenceMs, blindSilenceRtts * rttMs);
}

/** The same for one strand, with any other strand as witness, its own path's included. */
export function strandFellSilent(strand: Strand, strands: Iterable<Strand>, nowMs: number): boolean {
  const silentMs = strand.silentMs(nowMs);
  if (silentMs <= silenceLimitMs(strand.rttMs)) return false;
  for (const other of strands) {
    if (other === strand || other.suspect || other.state !== 'answered') continue;
    if (other.lastHeardMs > nowMs - silentMs + witnessLeadMs) return true;
  }
  return false;
}
