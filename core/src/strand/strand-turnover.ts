/**
 * Strands that have served long enough are replaced: their keys should not outlive the handshake they came from, nor seal
 * more than a cipher allows. New before old, and nothing that runs shall notice:
 *
 *     worn out -> retiring: carries on, the dialer opens others -> those are answered, and had their share of the load
 *       -> draining: nothing new, the peer is told -> nothing is on its way any more: closed
 *
 * One path at a time, so that no more than one line is cold. The peer that is told (DRAIN) does the same from `retiring` on:
 * in a download it is the one that carries.
 */
import { bulkStrands, strandBytesMax } from '../limits.ts';
import type { Path } from '../line/path.ts';
import type { SessionState } from '../session/session-state.ts';
import type { Strand } from './strand.ts';

/** A path that cannot replace its strands in this time, ms, no longer keeps the others waiting. */
const turnoverMsMax = 30_000;
/** A peer's wish to drain is followed after this at the latest, ms, whether another strand carries or not. */
const followedMsMax = 5_000;

export class StrandTurnover {
  readonly #state: SessionState;
  #turnPath = 0;
  #turnSinceMs = -Infinity;

  constructor(state: SessionState) {
    this.#state = state;
  }

  /** One look at all strands, some times a second. */
  look(): void {
    const { paths, side } = this.#state;
    let busy = false;
    for (const path of paths.values()) {
      for (const strand of path.strands) {
        if (!strand.retiring || strand.draining) continue;
        if (side === 'relay') this.#follow(path, strand);
        else if (this.#replaced(path, strand) && this.#rests(path, strand)) this.#drain(strand);
        busy ||= path.id === this.#turnPath && !strand.draining;
      }
    }
    if (side === 'box' && !(busy && this.#state.nowMs - this.#turnSinceMs < turnoverMsMax)) this.#begin();
  }

  /** The next path with worn strands has its turn, the first after the last one. */
  #begin(): void {
    let first: Path | undefined;
    let next: Path | undefined;
    for (const path of this.#state.paths.values()) {
      if (!path.usable || !path.strands.some((strand) => this.#worn(strand))) continue;
      first ??= path;
      if (path.id > this.#turnPath) next ??= path;
    }
    const chosen = next ?? first;
    if (!chosen) return;
    this.#turnPath = chosen.id;
    this.#turnSinceMs = this.#state.nowMs;
    for (const strand of chosen.strands) strand.retiring ||= this.#worn(strand);
  }

  #worn(strand: Strand): boolean {
    if (strand.retiring || strand.draining || strand.state !== 'answered') return false;
    return this.#state.nowMs >= strand.oldMs || strand.bytesIn + strand.bytesOut >= strandBytesMax;
  }

  /** As many strands of its kind as there should be stand beside it. */
  #replaced(path: Path, strand: Strand): boolean {
    let fresh = 0;
    for (const other of path.strands) {
      if (other.role === strand.role && other.state === 'answered' && !other.retiring && !other.suspect) fresh++;
    }
    // What carries packets is needed for a while only, and opened anew when it is.
    if (strand.datagram) return true;
    return fresh >= (strand.quick ? 1 : bulkStrands);
  }

  /** It carries nothing, or another one does, and has done so long enough to be warm. */
  #rests(path: Path, strand: Strand): boolean {
    if (strand.quick || (strand.sent.length === 0 && strand.unackedSegments === 0)) return true;
    return path.carrying !== strand && !path.helping(this.#state.nowMs);
  }

  #follow(path: Path, strand: Strand): void {
    const late = this.#state.nowMs - strand.retiringSinceMs > followedMsMax;
    if (late || this.#rests(path, strand)) strand.draining = true;
  }

  #drain(strand: Strand): void {
    strand.draining = true;
    strand.drainPending = true;
  }
}
