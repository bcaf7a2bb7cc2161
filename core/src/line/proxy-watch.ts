/**
 * A proxy in the middle of a line, as some mobile and satellite operators have it, acknowledges by itself what it takes. To TCP
 * the line is well as long as the proxy is, whatever becomes of the rest. So there only records count as heard: they have
 * come from the other end.
 *
 * Two things give a proxy away. PING takes much longer than TCP's own round trip, when the proxy is near. And when it is far: a
 * path owes answers and gives none, while segments come in and other paths' records do; or for seconds, where no other path is
 * better off: what has died behind them may be the other end.
 */
import { blindSilenceMs, blindSilenceRtts } from '../limits.ts';
import { silenceLimitMs } from './liveness.ts';
import type { Path } from './path.ts';

/** PING's shortest round trip beyond this multiple of TCP's, and this much, ms, has come through a proxy. */
const proxyRtts = 2;
const proxyMs = 10;
/** Judged after so many PINGs: one may have been lost and sent again. */
const pingsMin = 3;
/** After so many one of them has found an empty line, and less than this will do: a proxy may stand halfway. */
const pingsMany = 40;
const proxyRttsMany = 1.25;
/** Owing for this long, ms, and so many round trips, is no loss recovery any more. */
const deafMsMin = 400;
const deafRtts = 4;

/** What PING tells of a path. */
export class ProxyWatch {
  #pings = 0;
  #shortestMs = Infinity;
  #smoothedMs = 0;

  /** Smoothed round trip, ms; 0: not measured. */
  get pingRttMs(): number {
    return this.#smoothedMs;
  }

  get undecided(): boolean {
    return this.#pings < pingsMin;
  }

  /** The shortest, ms; 0: not measured. */
  get pingMinMs(): number {
    return this.#pings === 0 ? 0 : this.#shortestMs;
  }

  /** A PING was answered after so long, ms. */
  take(rttMs: number): void {
    this.#pings++;
    this.#shortestMs = Math.min(this.#shortestMs, rttMs);
    this.#smoothedMs = this.#smoothedMs === 0 ? rttMs : this.#smoothedMs * 0.75 + rttMs * 0.25;
  }

  /** Whether a proxy acknowledges, when TCP's shortest round trip is this, ms. */
  sees(minRttMs: number): boolean {
    return (
      !this.undecided &&
      minRttMs > 0 &&
      this.#shortestMs > (this.#pings < pingsMany ? proxyRtts : proxyRttsMany) * minRttMs + proxyMs
    );
  }
}

/** How long a path has owed answers while no record came, ms. */
function deafMs(path: Path, nowMs: number): number {
  let heardMs = -Infinity;
  let owedMs = Infinity;
  for (const strand of path.strands) {
    heardMs = Math.max(heardMs, strand.recordHeardMs);
    if (strand.state === 'answered' && !strand.suspect) owedMs = Math.min(owedMs, strand.owedSinceMs);
  }
  return owedMs === Infinity ? 0 : nowMs - Math.max(heardMs, owedMs);
}

/** The same as a share of what is no loss recovery any more. */
export const deafness = (path: Path, nowMs: number): number =>
  deafMs(path, nowMs) / Math.max(deafMsMin, deafRtts * slowRttMs(path));

/** True when a path has owed answers for long and no record came, while other paths' records did or for very long. */
export function pathFellDeaf(path: Path, paths: Iterable<Path>, nowMs: number): boolean {
  if (deafness(path, nowMs) <= 1) return false;
  const rttMs = slowRttMs(path);
  const sinceMs = nowMs - silenceLimitMs(rttMs);
  for (const other of paths) {
    if (other === path || other.suspect) continue;
    if (other.strands.some((strand) => strand.recordHeardMs > sinceMs)) return true;
  }
  return deafMs(path, nowMs) > Math.max(blindSilenceMs, blindSilenceRtts * rttMs);
}

const slowRttMs = (path: Path): number => Math.max(path.rttMs, path.pingRttMs, path.drainMs);
