/** What is known of a box's coming and going since this relay started; times are milliseconds since 1970. */
interface Attended {
  /** Since when its session is there. */
  readonly sinceMs: number;
  /** Where its last handshake came from. */
  readonly address: string;
  readonly lastSeenMs: number;
}

/** Who is there since when, and who was last seen when. */
export class Attendance {
  readonly #known = new Map<string, Attended>();

  /** A box made a handshake. */
  arrive(pin: string, address: string, isNew: boolean, nowMs: number): void {
    const before = this.#known.get(pin);
    const sinceMs = isNew || !before ? nowMs : before.sinceMs;
    this.#known.set(pin, { sinceMs, address, lastSeenMs: nowMs });
  }

  /** These boxes are there now. */
  look(pins: Iterable<string>, nowMs: number): void {
    for (const pin of pins) {
      const before = this.#known.get(pin);
      if (before) this.#known.set(pin, { ...before, lastSeenMs: nowMs });
    }
  }

  /** Undefined for a box that was not there yet. */
  of(pin: string): Attended | undefined {
    return this.#known.get(pin);
  }

  forget(pin: string): void {
    this.#known.delete(pin);
  }
}
