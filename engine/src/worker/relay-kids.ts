/**
 * The keys a relay takes openings under. Each session has a few: the box makes a handshake every hour, and strands under
 * the older key may be on their way while the first under the newer one opens. A key that is done is erased.
 */
import type { Aead } from '@tresse/sys';

import type { RelayKid } from './strand-listener.ts';

/** Keys of a session at a time. */
const kidsMax = 3;
/** An old key dies this long after the first strand under a newer one, ms. */
const graceMs = 30_000;
/** And so long after it came, ms, whatever happens: twice what a box takes for its next handshake. */
const lifeMs = 7_200_000;

/** A key with the session it belongs to. */
interface SessionKid<Session> extends RelayKid {
  readonly session: Session;
  diesMs: number;
}

export class RelayKids<Session> {
  readonly #onErased: (session: Session, hex: string) => void;
  readonly #kids = new Map<string, SessionKid<Session>>();
  /** The newest last. */
  readonly #bySession = new Map<Session, string[]>();

  /** `onErased` hears of every key that is no more. */
  constructor(onErased: (session: Session, hex: string) => void = () => {}) {
    this.#onErased = onErased;
  }

  get size(): number {
    return this.#kids.size;
  }

  get(hex: string): SessionKid<Session> | undefined {
    return this.#kids.get(hex);
  }

  /** A handshake gave a session another key. The secret is kept, and erased at its end. */
  install(hex: string, secret: Uint8Array, aead: Aead, session: Session, nowMs: number): void {
    this.#drop(hex);
    const own = this.#bySession.get(session) ?? [];
    this.#bySession.set(session, own);
    this.#kids.set(hex, { secret, aead, session, salts: new Set(), diesMs: nowMs + lifeMs });
    own.push(hex);
    while (own.length > kidsMax) this.#drop(own[0] ?? '');
  }

  /** A strand stands under this key: the older ones of its session have done their work. */
  used(hex: string, nowMs: number): void {
    const kid = this.#kids.get(hex);
    if (!kid) return;
    for (const older of this.#bySession.get(kid.session) ?? []) {
      if (older === hex) return;
      const old = this.#kids.get(older);
      if (old) old.diesMs = Math.min(old.diesMs, nowMs + graceMs);
    }
  }

  /** Erases the keys whose time is over. */
  sweep(nowMs: number): void {
    for (const [hex, kid] of this.#kids) if (nowMs >= kid.diesMs) this.#drop(hex);
  }

  /** Erases all keys of a session. */
  forget(session: Session): void {
    for (const hex of this.#bySession.get(session)?.slice() ?? []) this.#drop(hex);
  }

  #drop(hex: string): void {
    const kid = this.#kids.get(hex);
    if (!kid) return;
    kid.secret.fill(0);
    this.#kids.delete(hex);
    const own = this.#bySession.get(kid.session) ?? [];
    own.splice(own.indexOf(hex), 1);
    if (own.length === 0) this.#bySession.delete(kid.session);
    this.#onErased(kid.session, hex);
  }
}
