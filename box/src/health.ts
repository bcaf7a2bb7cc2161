import type { Log } from '@tresse/daemon';
import { bestUplink, judge, type Judgement, type PathView, type ResolvedUplink } from '@tresse/plan';

/** What is known of an uplink's path and handshakes. */
export interface UplinkView {
  readonly path: PathView | undefined;
  readonly dialFault: string | undefined;
}

/** Remembers the verdict on every uplink, logs each change with its reason, and which uplink direct traffic leaves by. */
export class Health {
  readonly #log: Log;
  readonly #verdicts = new Map<string, Judgement & { sinceMs: number }>();
  #direct: string | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The uplink for what does not go through the relay. */
  get direct(): string | undefined {
    return this.#direct;
  }

  /** The newest verdict on an uplink, and for how many seconds it has been that. */
  verdictOf(uplink: string): Judgement & { sinceS?: number } {
    const known = this.#verdicts.get(uplink);
    if (!known) return { verdict: 'down', reason: 'not looked at yet' };
    const { verdict, reason, sinceMs } = known;
    return { verdict, reason, sinceS: Math.round((performance.now() - sinceMs) / 1000) };
  }

  /** Judges every uplink anew. Returns whether the direct uplink is another now. */
  judge(uplinks: readonly ResolvedUplink[], view: (uplink: string) => UplinkView): boolean {
    const candidates = uplinks.map((uplink) => {
      const { path, dialFault } = view(uplink.name);
      const judgement = judge(uplink, path, dialFault);
      this.#note(uplink, judgement);
      return { uplink, verdict: judgement.verdict, minRttMs: path?.minRttMs ?? 0 };
    });
    const direct = bestUplink(candidates, this.#direct);
    if (direct === this.#direct) return false;
    this.#log.info('direct traffic leaves by another line', {
      uplink: direct ?? 'none',
      before: this.#direct ?? 'none',
    });
    this.#direct = direct;
    return true;
  }

  #note(uplink: ResolvedUplink, judgement: Judgement): void {
    const before = this.#verdicts.get(uplink.name);
    if (before?.verdict === judgement.verdict && before.reason === judgement.reason) return;
    this.#verdicts.set(uplink.name, { ...judgement, sinceMs: performance.now() });
    const level = judgement.verdict === 'up' || judgement.verdict === 'disabled' ? 'info' : 'warn';
    this.#log.at(level, 'verdict', {
      uplink: uplink.name,
      interface: uplink.interface,
      verdict: judgement.verdict,
      reason: judgement.reason,
    });
  }
}
