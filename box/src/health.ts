import type { Log } from '@tresse/daemon';
import {
  bestUplinks,
  type DirectUplinks,
  judge,
  type Judgement,
  type PathView,
  type ResolvedUplink,
} from '@tresse/plan';
import type { Family } from '@tresse/schema';

/** What is known of an uplink's path and handshakes. */
export interface UplinkView {
  readonly path: PathView | undefined;
  readonly dialFault: string | undefined;
}

/** Remembers the verdict on every uplink, logs each change with its reason, and which uplink direct traffic leaves by. */
export class Health {
  readonly #log: Log;
  readonly #verdicts = new Map<string, Judgement & { sinceMs: number }>();
  readonly #silentSinceMs = new Map<string, number>();
  #direct: DirectUplinks = {};

  constructor(log: Log) {
    this.#log = log;
  }

  /** The uplinks for what does not go through the relay. */
  get direct(): DirectUplinks {
    return this.#direct;
  }

  /** The newest verdict on an uplink, and for how many seconds it has been that. */
  verdictOf(uplink: string): Judgement & { sinceS?: number } {
    const known = this.#verdicts.get(uplink);
    if (!known) return { verdict: 'down', reason: 'not looked at yet' };
    const { verdict, reason, sinceMs } = known;
    return { verdict, reason, sinceS: Math.round((performance.now() - sinceMs) / 1000) };
  }

  /** Judges every uplink anew. Returns whether a direct uplink is another now. */
  judge(uplinks: readonly ResolvedUplink[], view: (uplink: string) => UplinkView): boolean {
    const candidates = uplinks.map((uplink) => {
      const { path, dialFault } = view(uplink.name);
      const silentSinceMs = this.#silence(uplink.name, path);
      const judgement = judge(uplink, path && { ...path, silentMs: performance.now() - silentSinceMs }, dialFault);
      this.#note(uplink, judgement, judgement.verdict === 'down' && path ? silentSinceMs : performance.now());
      return { uplink, verdict: judgement.verdict, minRttMs: path?.minRttMs ?? 0 };
    });
    const before = this.#direct;
    this.#direct = bestUplinks(candidates, before);
    const changed = ([4, 6] as const).filter((family) => this.#direct[family] !== before[family]);
    for (const family of changed) this.#tell(family, this.#direct[family], before[family]);
    return changed.length > 0;
  }

  #tell(family: Family, uplink = 'none', before = 'none'): void {
    this.#log.info('direct traffic leaves by another line', { family: `IPv${family}`, uplink, before });
  }

  /** Since when an uplink's path is not up; now, where it is. */
  #silence(uplink: string, path: PathView | undefined): number {
    if (!path || path.state === 'up') this.#silentSinceMs.delete(uplink);
    const sinceMs = this.#silentSinceMs.get(uplink) ?? performance.now();
    if (path && path.state !== 'up') this.#silentSinceMs.set(uplink, sinceMs);
    return sinceMs;
  }

  #note(uplink: ResolvedUplink, judgement: Judgement, sinceMs: number): void {
    const before = this.#verdicts.get(uplink.name);
    if (before?.verdict === judgement.verdict && before.reason === judgement.reason) return;
    this.#verdicts.set(uplink.name, { ...judgement, sinceMs });
    const level = judgement.verdict === 'up' || judgement.verdict === 'disabled' ? 'info' : 'warn';
    this.#log.at(level, 'verdict', {
      uplink: uplink.name,
      interface: uplink.interface,
      verdict: judgement.verdict,
      reason: judgement.reason,
    });
  }
}
