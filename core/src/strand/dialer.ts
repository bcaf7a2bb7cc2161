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
  /** Connections under way that are no strands yet. */
  quick: number;
  bulk: number;
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
    if (!known) this.#paths.set(path, { enabled, quick: 0, bulk: 0, lastMs: -Infinity, troubleSinceMs: -1 });
    else if (known.enabled !== enabled) {
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
      if (role === StrandRole.quick) attempts.quick++;
      else attempts.bulk++;
      attempts.lastMs = nowMs;
      return { path: id, role };
    }
    return undefined;
  }

  /** An attempt became a strand, or failed. */
  handleEnd(order: DialOrder): void {
    const attempts = this.#paths.get(order.path);
    if (!attempts) return;
    if (order.role === StrandRole.quick) attempts.quick--;
    else attempts.bulk--;
  }

  /**
   * A strand was answered for the first time. Returns the strands it replaces, or itself when the one it was to replace
   * has come back: the caller closes them.
   */
  handleAnswered(strand: Strand): readonly Strand[] {
    const path = this.#session.paths.get(strand.path);
    if (!path) return [];
    const others = path.strands.filter((s) => s !== strand);
    if (strand.quick && others.some((s) => s.quick && stays(s) && s.state === 'answered')) return [strand];
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
    const quick = alive(path, true, true);
    if (quick > 0 && !path?.suspect) {
      attempts.troubleSinceMs = -1;
      const bulk = alive(path, false, false) + attempts.bulk;
      if (bulk >= this.#session.policy.bulkStrands) return undefined;
      // The first ones at once; one that fails is tried again after a gap.
      return attempts.bulk === 0 && nowMs - attempts.lastMs < eagerGapMs && bulk > 0 ? undefined : StrandRole.bulk;
    }
    const opening = alive(path, true, false) - quick;
    // The one that is replaced works: there is no haste.
    if (path?.suspect === false && path.quick()?.retiring === true) {
      return attempts.quick + opening > 0 || nowMs - attempts.lastMs < eagerGapMs ? undefined : StrandRole.quick;
    }
    if (attempts.troubleSinceMs < 0) attempts.troubleSinceMs = nowMs;
    const gap = this.#gapMs(attempts, nowMs);
    if (nowMs - attempts.lastMs < gap || attempts.quick + opening >= attemptsMax) return undefined;
    return StrandRole.quick;
  }

  #gapMs(attempts: Attempts, nowMs: number): number {
    const trouble = attempts.troubleSinceMs >= 0 && nowMs - attempts.troubleSinceMs > eagerForMs;
    return trouble ? patientGapMs : eagerGapMs;
  }

  #complete(path: Path | undefined): boolean {
    const { bulkStrands } = this.#session.policy;
    return (
      path !== undefined && !path.suspect && alive(path, true, true) > 0 && alive(path, false, false) >= bulkStrands
    );
  }
}

/** Strands of a kind that stand, or are about to. */
function alive(path: Path | undefined, quick: boolean, answered: boolean): number {
  let count = 0;
  for (const strand of path?.strands ?? []) {
    if (strand.quick !== quick || !stays(strand)) continue;
    if (strand.state === 'answered' || (!answered && strand.state === 'opening')) count++;
  }
  return count;
}

/** Neither silent nor being replaced. */
const stays = (strand: Strand): boolean => !strand.suspect && !strand.retiring && !strand.draining;
