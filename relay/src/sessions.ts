/** Swaps of a box's session within this time count together. */
const swapWindowMs = 60_000;
/** So many swaps in the window mean that two machines carry one identity. */
const swapsSuspicious = 3;

interface Known {
  sessionKey: string;
  swapsAtMs: number[];
  addresses: string[];
  /** It ended the session itself: what follows replaces nothing. */
  left: boolean;
}

/** What the arrival of a box means. */
export interface Arrival {
  /** The same text means the same session goes on. */
  readonly sessionKey: string;
  readonly isNew: boolean;
  /** A warning for people, when the box's sessions replace each other too fast. */
  readonly warning?: string;
  /** With the warning: where the session before this one came from. */
  readonly elsewhere?: string;
}

/**
 * Which session each box has: one, known by its pin and both incarnations, the newest wins. Sees when an identity runs on two
 * boxes: they replace each other's sessions in turn.
 */
export class Sessions {
  readonly #known = new Map<string, Known>();

  /** A box has proved itself. `boxName` is for the warning's sentence. */
  arrive(
    box: { pin: string; name: string; incarnation: string; address: string },
    relayIncarnation: string,
    nowMs: number,
  ): Arrival {
    const sessionKey = `${box.pin} ${box.incarnation} ${relayIncarnation}`;
    const known = this.#known.get(box.pin);
    if (known?.sessionKey === sessionKey) return { sessionKey, isNew: false };
    const before = known?.swapsAtMs ?? [];
    const swapsAtMs = (known && !known.left ? [...before, nowMs] : before).filter((at) => nowMs - at < swapWindowMs);
    const addresses = [box.address, ...(known?.addresses ?? [])].filter((one, i, all) => all.indexOf(one) === i);
    this.#known.set(box.pin, { sessionKey, swapsAtMs, addresses: addresses.slice(0, 2), left: false });
    if (swapsAtMs.length < swapsSuspicious) return { sessionKey, isNew: true };
    const where = addresses.slice(0, 2).join(' and ');
    return {
      sessionKey,
      isNew: true,
      warning: `the identity of ${box.name} runs on two boxes (seen from ${where})`,
      elsewhere: addresses[1] ?? box.address,
    };
  }

  /** Whose session this is; undefined where it has another one by now. */
  pinOf(sessionKey: string): string | undefined {
    const pin = sessionKey.split(' ')[0] ?? '';
    return this.#known.get(pin)?.sessionKey === sessionKey ? pin : undefined;
  }

  /** The session a box had last. */
  keyOf(pin: string): string | undefined {
    return this.#known.get(pin)?.sessionKey;
  }

  /** A box stops in good order: its next start is no twin's. */
  leave(sessionKey: string): void {
    const known = this.#known.get(sessionKey.split(' ')[0] ?? '');
    if (known?.sessionKey === sessionKey) known.left = true;
  }

  /** A box is put out. */
  forget(pin: string): void {
    this.#known.delete(pin);
  }
}
