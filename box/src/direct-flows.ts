import type { Log } from '@tresse/daemon';
import { sentenceOf } from '@tresse/kit';
import { markMask, type ResolvedUplink, uplinkMark } from '@tresse/plan';
import type { Family } from '@tresse/schema';
import { forgetFlows } from '@tresse/sys';

/** How long a line may be without carrier, or silent while others are heard, before its flows are given up, ms. */
const carrierlessMsMax = 1_000;
const silentMsMax = 2_000;

interface Line {
  /** Source addresses its flows carry, by family. */
  addresses: ReadonlyMap<Family, string>;
  /** Since when it carries nothing, ms; -1 while it does. */
  deadSinceMs: number;
  forgotten: boolean;
}

/** Makes the kernel forget the direct flows of a line, of one family or of both. */
export type Forget = (mark: number, mask: number, family?: Family) => void;

/**
 * Direct flows stay with their line, by a mark. When that line is dead they would stay with it for ever: UDP that is sent
 * again and again, pings, TCP that waits. Then the kernel is made to forget them, and only them, so that their next packet
 * takes the best line.
 */
export class DirectFlows {
  readonly #log: Log;
  readonly #forget: Forget;
  readonly #lines = new Map<string, Line>();

  constructor(log: Log, forget: Forget = forgetFlows) {
    this.#log = log;
    this.#forget = forget;
  }

  /** Looks at every line; `silent` says whether the relay is not heard on it while it is on others. */
  look(uplinks: readonly ResolvedUplink[], silent: (uplink: string) => boolean, nowMs: number): void {
    for (const uplink of uplinks) {
      const line = this.#lineOf(uplink);
      const addresses = new Map(uplink.addresses.map((one) => [one.family, one.address]));
      const dead = uplink.fault !== undefined || silent(uplink.name);
      if (!dead) line.deadSinceMs = -1;
      else if (line.deadSinceMs < 0) line.deadSinceMs = nowMs;
      const limitMs = uplink.fault === undefined ? silentMsMax : uplink.carrier ? 0 : carrierlessMsMax;
      const over = dead && nowMs - line.deadSinceMs >= limitMs;
      if (!over) line.forgotten = false;
      else if (!line.forgotten) this.#giveUp(uplink, uplink.fault ?? 'the relay is not heard on it');
      for (const [family, address] of line.addresses) {
        if (addresses.get(family) !== address) this.#giveUp(uplink, `it is no longer ${address}`, family);
      }
      line.forgotten = over;
      line.addresses = addresses;
    }
  }

  #lineOf({ name }: ResolvedUplink): Line {
    const known = this.#lines.get(name);
    if (known) return known;
    const line: Line = { addresses: new Map(), deadSinceMs: -1, forgotten: true };
    this.#lines.set(name, line);
    return line;
  }

  #giveUp(uplink: ResolvedUplink, reason: string, family?: Family): void {
    try {
      this.#forget(uplinkMark(uplink.index), markMask, family);
      this.#log.info('direct flows of a line are given up', { uplink: uplink.name, reason });
    } catch (error) {
      this.#log.warn('direct flows stay with a dead line', { uplink: uplink.name, reason: sentenceOf(error) });
    }
  }
}
