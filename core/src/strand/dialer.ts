import type { Path } from '../line/path.ts';
import type { Session } from '../session/session.ts';
/**
 * Which strands the box opens, and when: per path one quick and a few bulk ones. A path that is silent or has no quick
 * strand is tried by fresh connections beside the old ones, never waiting for the kernel's back-off: every quarter of a
 * second at first, then every second. The first to answer wins.
 */
import { StrandRole } from '../wire/opening.ts';
import type { Strand } from './strand.ts';

const eagerGapMs = 250;
const eagerForMs = 30_000;
const patientGapMs = 1_000;
/** While all attempts allowed are under way, a look this often, ms. */
const attemptWaitMs = 25;
/** Unanswered attempts of one path at a time. */
const attemptsMax = 13;

export interface DialOrder {
  readonly path: number;
  readonly role: StrandRole;
}

interface Attempts {
  enabled: boolean;
  /** Connections under way that are no strands yet, by role. */
  readonly pending: Record<StrandRole, number>;
  lastMs: number;
  troubleSinceMs: number;
}

export class Dialer {
  readonly #session: Session;
  readonly #paths = new Map<number, Attempts>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** A path that may be dialled, or may no longer. */
  enable(path: number, enabled: boolean): void {
    const known = this.#paths.get(path);
    if (!known) {
      const pending = { [StrandRole.quick]: 0, [StrandRole.bulk]: 0, [StrandRole.datagram]: 0 };
      this.#paths.set(path, { enabled, pending, lastMs: -Infinity, troubleSinceMs: -1 });
    } else if (known.enabled !== enabled) {
      known.enabled = enabled;
      // A line that is there again is tried at once.
      known.lastMs = -Infinity;
      known.troubleSinceMs = -1;
    }
  }

  forget(path: number): void {
    this.#paths.delete(path);
  }

  /** The next connection to begin now, or undefined. Each order is answered by {@link handleEnd}. */
  poll(nowMs: number): DialOrder | undefined {
    for (const [id, attempts] of this.#paths) {
      if (!attempts.enabled) continue;
      const role = this.#wanted(this.#session.paths.get(id), attempts, nowMs);
      if (role === undefined) continue;
      attempts.pending[role]++;
      attempts.lastMs = nowMs;
      return { path: id, role };
    }
    return undefined;
  }

  /** An attempt became a strand, or failed. */
  handleEnd(order: DialOrder): void {
    const attempts = this.#paths.get(order.path);
    if (attempts) attempts.pending[order.role]--;
  }

  /**
   * A strand was answered for the first time. Returns the strands it replaces, or itself when the one it was to replace
   * has come back: the caller closes them.
   */
  handleAnswered(strand: Strand): readonly Strand[] {
    const path = this.#session.paths.get(strand.path);
    if (!path) return [];
    const others = path.strands.filter((s) => s !== strand);
    const single = strand.quick || strand.datagram;
    if (single && others.some((s) => s.role === strand.role && stays(s) && s.state === 'answered')) return [strand];
    return others.filter((s) => s.suspect || (strand.quick && s.quick && s.state === 'opening'));
  }

  /** When {@link poll}, which has just been asked, may have an order next, ms; Infinity when all stands. */
  nextDueMs(nowMs: number): number {
    let due = Infinity;
    for (const [id, attempts] of this.#paths) {
      if (!attempts.enabled) continue;
      const path = this.#session.paths.get(id);
      if (this.#complete(path)) continue;
      due = Math.min(due, Math.max(nowMs + attemptWaitMs, attempts.lastMs + this.#gapMs(attempts, nowMs)));
    }
    return due;
  }

  #wanted(path: Path | undefined, attempts: Attempts, nowMs: number): StrandRole | undefined {
    const { pending } = attempts;
    const quick = alive(path, StrandRole.quick, true);
    if (quick > 0 && !path?.suspect) {
      attempts.troubleSinceMs = -1;
      const early = nowMs - attempts.lastMs < eagerGapMs;
      if (this.#wantsDatagram(path) && pending[StrandRole.datagram] === 0 && !early) return StrandRole.datagram;
      const bulk = alive(path, StrandRole.bulk, false) + pending[StrandRole.bulk];
      if (bulk >= this.#session.policy.bulkStrands) return undefined;
      // The first ones at once; one that fails is tried again after a gap.
      return pending[StrandRole.bulk] === 0 && early && bulk > 0 ? undefined : StrandRole.bulk;
    }
    const opening = alive(path, StrandRole.quick, false) - quick;
    const waiting = pending[StrandRole.quick] + opening;
    // The one that is replaced works: there is no haste.
    if (path?.suspect === false && path.quick()?.retiring === true) {
      return waiting > 0 || nowMs - attempts.lastMs < eagerGapMs ? undefined : StrandRole.quick;
    }
    if (attempts.troubleSinceMs < 0) attempts.troubleSinceMs = nowMs;
    const gap = this.#gapMs(attempts, nowMs);
    if (nowMs - attempts.lastMs < gap || waiting >= attemptsMax) return undefined;
    return StrandRole.quick;
  }

  #wantsDatagram(path: Path | undefined): boolean {
    return path?.udp.wantsStrand === true && alive(path, StrandRole.datagram, false) === 0;
  }

  #gapMs(attempts: Attempts, nowMs: number): number {
    const trouble = attempts.troubleSinceMs >= 0 && nowMs - attempts.troubleSinceMs > eagerForMs;
    return trouble ? patientGapMs : eagerGapMs;
  }

  #complete(path: Path | undefined): boolean {
    if (path === undefined || path.suspect || this.#wantsDatagram(path)) return false;
    const bulk = alive(path, StrandRole.bulk, false);
    return alive(path, StrandRole.quick, true) > 0 && bulk >= this.#session.policy.bulkStrands;
  }
}

/** Strands of a kind that stand, or are about to. */
function alive(path: Path | undefined, role: StrandRole, answered: boolean): number {
  let count = 0;
  for (const strand of path?.strands ?? []) {
    if (strand.role !== role || !stays(strand)) continue;
    if (strand.state === 'answered' || (!answered && strand.state === 'opening')) count++;
  }
  return count;
}

/** Neither silent nor being replaced. */
const stays = (strand: Strand): boolean => !strand.suspect && !strand.retiring && !strand.draining;
