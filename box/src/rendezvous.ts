import { setTimeout as pause } from 'node:timers/promises';

import { dialRelay, type Identity, type Log, type Offer, RefusalError, type RelayAgreement } from '@tresse/daemon';
import { sentenceOf } from '@tresse/kit';
import { type ResolvedUplink, sendingAddress } from '@tresse/plan';
import { type BoxConfig, ipFamily } from '@tresse/schema';

/** The next line is tried when the one before has not answered for this long (as in RFC 8305). */
const staggerMs = { urgent: 250, calm: 2_000 } as const;
/** How much a handshake is wanted. Calmly, while a session runs: one line at a time, for each that answers makes a key. */
type Pace = keyof typeof staggerMs;
/**
 * Between rounds of attempts: from the first, growing by half, to the second; after five minutes to the third. With the time
 * a connection is given, so short that a relay is found within 3 s of its return: a SYN leaves at least every 2 s.
 */
const pauseMsFirst = 200;
const pauseMsMax = 1_000;
const pauseMsMaxLate = 1_500;
const connectMsMax = 2_000;
/** Keys refused right after they were made are not made again at once. */
const calmMs = 1_000;
const lateAfterMs = 300_000;

/** What a rendezvous needs of the daemon. */
export interface Rendezvoyeur {
  uplinks(): readonly ResolvedUplink[];
  /** Undefined while the engine is starting. */
  offer(): Offer | undefined;
  /** Makes the agreed keys usable. */
  agreed(agreement: RelayAgreement, uplink: string): Promise<void>;
  /** The relay does not let this box in any more; `sentence` is its reason. */
  putOut(sentence: string): void;
}

/** A relay that says so has no session of this box. */
const reasonsOut: ReadonlySet<string> = new Set(['revoked', 'unknown-box']);

/**
 * Makes handshakes whenever one is wanted, over any line: the first that answers wins. Tries again for ever, with a jittered
 * pause, and keeps for each uplink why the last attempt over it came to nothing.
 */
export class Rendezvous {
  readonly #config: BoxConfig;
  readonly #identity: Identity;
  readonly #needs: Rendezvoyeur;
  readonly #log: Log;
  readonly #faults = new Map<string, string>();
  #round: Promise<void> | undefined;
  #cancelPause: (() => void) | undefined;
  #agreedAtMs = -Infinity;
  #pace: Pace = 'urgent';
  #stopped = false;
  #abort = new AbortController();

  constructor(config: BoxConfig, identity: Identity, needs: Rendezvoyeur, log: Log) {
    this.#config = config;
    this.#identity = identity;
    this.#needs = needs;
    this.#log = log;
  }

  /** Whether a handshake is wanted and not made yet. */
  get pending(): boolean {
    return this.#round !== undefined;
  }

  /** Why the last handshake over an uplink failed; undefined when it did not. */
  faultOf(uplink: string): string | undefined {
    return this.#faults.get(uplink);
  }

  /** The relay answers on this uplink: what a handshake met before says nothing of it any more. */
  forgetFault(uplink: string): void {
    this.#faults.delete(uplink);
  }

  /** A handshake is wanted. More wishes while one is under way are the same wish, but one that is urgent ends a calm one's patience. */
  want(reason: string, pace: Pace = 'urgent'): void {
    if (this.#stopped || this.#config.relay.addresses.length === 0) return;
    const hastens = this.#round !== undefined && pace === 'urgent' && this.#pace === 'calm';
    if (this.#round && !hastens) return;
    this.#log.info('a handshake is wanted', { reason });
    this.#pace = pace;
    if (hastens) {
      this.#abort.abort();
      this.#cancelPause?.();
      return;
    }
    this.#round = this.#untilAgreed().finally(() => {
      this.#round = undefined;
    });
  }

  /** Something changed on the lines: no use in waiting out a pause. */
  hurry(): void {
    this.#cancelPause?.();
  }

  /** Ends attempts under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#abort.abort();
    this.#cancelPause?.();
    await this.#round;
  }

  async #untilAgreed(): Promise<void> {
    const beganAtMs = performance.now();
    if (beganAtMs - this.#agreedAtMs < calmMs) await this.#pause(jittered(calmMs));
    let pauseMs = pauseMsFirst;
    const attempt = async (): Promise<void> => {
      if (this.#stopped || (await this.#tryLines())) return;
      const lateNow = performance.now() - beganAtMs > lateAfterMs;
      await this.#pause(jittered(pauseMs));
      pauseMs = Math.min(pauseMs * 1.5, lateNow ? pauseMsMaxLate : pauseMsMax);
      await attempt();
    };
    await attempt();
  }

  /** One attempt over every line that can send, staggered. Returns whether one agreed. */
  async #tryLines(): Promise<boolean> {
    const offer = this.#needs.offer();
    if (!offer) return false;
    this.#abort = new AbortController();
    const round = this.#abort;
    const attempts = staggered(this.#targets(), staggerMs[this.#pace]).map(async ({ uplink, address, afterMs }) => {
      await pause(afterMs, undefined, { signal: round.signal });
      return { uplink: uplink.name, agreement: await this.#dial(uplink, address, offer, round.signal) };
    });
    try {
      const { uplink, agreement } = await Promise.any(attempts);
      round.abort();
      // The data plane began anew meanwhile: the relay was told of one that is no more.
      if (this.#needs.offer()?.incarnation !== offer.incarnation) return false;
      await this.#needs.agreed(agreement, uplink);
      this.#agreedAtMs = performance.now();
      return true;
    } catch (error) {
      if (!(error instanceof AggregateError))
        this.#log.warn('a handshake came to nothing', { reason: sentenceOf(error) });
      return false;
    }
  }

  /** Every line that can send to every address of the relay it has a family for; metered lines last. */
  #targets(): Target[] {
    const { addresses } = this.#config.relay;
    const able = this.#needs.uplinks().filter((one) => one.fault === undefined);
    return able
      .toSorted((a, b) => Number(a.metered) - Number(b.metered))
      .flatMap((uplink) => {
        const reachable = addresses.filter((address) => sendingAddress(uplink, ipFamily(address)));
        if (reachable.length > 0) return reachable.map((address) => ({ uplink, address }));
        this.#faults.set(uplink.name, `it has no address of the family of the relay's (${addresses.join(', ')})`);
        return [];
      });
  }

  async #dial(uplink: ResolvedUplink, address: string, offer: Offer, signal: AbortSignal): Promise<RelayAgreement> {
    const { port, pin } = this.#config.relay;
    const localAddress = sendingAddress(uplink, ipFamily(address))?.address;
    try {
      const target = { address, port, pin, ...(localAddress !== undefined && { localAddress }) };
      const agreement = await dialRelay(target, this.#identity, offer, { signal, connectTimeoutMs: connectMsMax });
      this.#faults.delete(uplink.name);
      return agreement;
    } catch (error) {
      if (!signal.aborted) {
        const reason = sentenceOf(error);
        const level = this.#faults.get(uplink.name) === reason ? 'debug' : 'warn';
        this.#faults.set(uplink.name, reason);
        this.#log.at(level, 'no handshake over a line', { uplink: uplink.name, reason });
        if (error instanceof RefusalError && reasonsOut.has(error.reason)) this.#needs.putOut(reason);
      }
      throw error;
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#cancelPause = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#cancelPause = end;
    });
  }
}

/** A line and an address of the relay. */
interface Target {
  readonly uplink: ResolvedUplink;
  readonly address: string;
}

/**
 * When each attempt begins: the first at once, after one wait one to every other address of the relay, each over another
 * line where there are several; then the rest one by one. So neither a dead address nor a dead line delays a living one by
 * more than the wait.
 */
export function staggered(
  targets: readonly Target[],
  waitMs: number = staggerMs.urgent,
): (Target & { afterMs: number })[] {
  const [first] = targets;
  if (!first) return [];
  const used = [first];
  const fresh = (one: Target): number =>
    (used.some((u) => u.address === one.address) ? 2 : 0) + (used.some((u) => u.uplink === one.uplink) ? 1 : 0);
  const rest = targets.slice(1);
  const result = [{ ...first, afterMs: 0 }];
  let turn = 1;
  while (rest.length > 0) {
    const [next = first] = rest.toSorted((a, b) => fresh(a) - fresh(b));
    turn = fresh(next) >= 2 ? turn + 1 : 2;
    result.push({ ...next, afterMs: (turn - 1) * waitMs });
    used.push(next);
    rest.splice(rest.indexOf(next), 1);
  }
  return result;
}

/** So that the boxes of a relay that restarts do not come all at once. */
function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
