import type { Family, Verdict } from '@tresse/schema';

import type { DirectUplinks } from './choice.ts';
import { type ResolvedUplink, sendingAddress } from './uplink.ts';

/** What the engine knows of an uplink's path; absent while it has none. */
export interface PathView {
  readonly state: string;
  readonly minRttMs: number;
  /** For how long it has not been up; 0 or absent while it is. */
  readonly silentMs?: number;
  /** Why no connection comes about over it, where that is more than silence; who refuses proves that the line is well. */
  readonly unreached?: { readonly isRefusal: boolean; readonly sentence: string };
}

/** A line that is silent for longer is down: recovery from loss or a fresh connection takes less. */
const silentMsMax = 5_000;

/** An uplink's health with the reason a person is shown. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
}

/**
 * The verdict on an uplink from what the machine says, what the path does, and what the last handshake over it met
 * (a sentence, absent when it went well or was not tried; a relay that refuses is no fault of the line).
 */
export function judge(uplink: ResolvedUplink, path: PathView | undefined, dialFault: string | undefined): Judgement {
  if (!uplink.enabled) return { verdict: 'disabled', reason: uplink.fault ?? 'switched off' };
  if (uplink.fault !== undefined) return { verdict: 'down', reason: uplink.fault };
  if (path?.state === 'up') return { verdict: 'up', reason: 'the relay answers' };
  if (path && (path.silentMs ?? 0) >= silentMsMax && dialFault === undefined) {
    const fault = path.unreached;
    if (fault) return { verdict: fault.isRefusal ? 'degraded' : 'down', reason: fault.sentence };
    return { verdict: 'down', reason: `no answer from the relay; ${linkWords(uplink)}` };
  }
  switch (path?.state) {
    case 'suspect':
      return { verdict: 'degraded', reason: 'the relay does not answer here for the moment, and does on another line' };
    case 'down':
      return { verdict: 'down', reason: 'the link has just fallen' };
    case undefined:
    default:
      return { verdict: 'degraded', reason: dialFault ?? 'the relay is not reached yet' };
  }
}

const wireless: ReadonlySet<ResolvedUplink['kind']> = new Set(['4g', '5g', 'wifi', 'phone']);

/** That the fault lies further on. */
function linkWords({ kind }: ResolvedUplink): string {
  return wireless.has(kind) ? 'the link is there' : 'the cable is plugged';
}

/** What the choice of the direct uplink goes by. */
export interface Candidate {
  readonly uplink: ResolvedUplink;
  readonly verdict: Verdict;
  /** 0 when not known. */
  readonly minRttMs: number;
}

/**
 * The uplink by which what does not go through the relay leaves, for a family: of those in the best health the unmetered one that answers
 * soonest. The present one is kept unless it is worse by more than a factor of two and 20 ms, since every
 * change gives new flows another outside address. Undefined when none can send.
 */
export function bestUplink(
  candidates: readonly Candidate[],
  present: string | undefined,
  family: Family = 4,
): string | undefined {
  const able = candidates.filter((one) => sendingAddress(one.uplink, family) !== undefined);
  const [best] = able.toSorted((a, b) => rank(a) - rank(b) || rtt(a) - rtt(b) || a.uplink.index - b.uplink.index);
  const kept = able.find((one) => one.uplink.name === present);
  if (best && kept && rank(kept) === rank(best) && rtt(kept) <= 2 * rtt(best) + 20) return kept.uplink.name;
  return best?.uplink.name;
}

/** The best uplink of each family, as {@link bestUplink} chooses it. */
export function bestUplinks(candidates: readonly Candidate[], present: DirectUplinks): DirectUplinks {
  const direct: Partial<Record<Family, string>> = {};
  for (const family of [4, 6] as const) {
    const best = bestUplink(candidates, present[family], family);
    if (best !== undefined) direct[family] = best;
  }
  return direct;
}

const healths: readonly Verdict[] = ['up', 'degraded', 'captive', 'down', 'disabled'];

function rank(one: Candidate): number {
  return healths.indexOf(one.verdict) * 2 + (one.uplink.metered ? 1 : 0);
}

function rtt(one: Candidate): number {
  return one.minRttMs > 0 ? one.minRttMs : 1000;
}
