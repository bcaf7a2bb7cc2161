/** A handshake is made so often, ms: who learns a key later learns an hour. */
const rekeyEveryMs = 3_600_000;
/** Strands are replaced after this share of that time (ten minutes). */
const strandOldShare = 1 / 6;
/** Boxes of one relay do not come all at once: the time is shorter by up to this share. */
const jitterShare = 0.15;

/** Wants a handshake an hour after the last one: the newer key is there before the older one goes. */
export class Rekeying {
  readonly #everyMs: number;
  readonly #want: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(everyMs: number | undefined, want: () => void) {
    this.#everyMs = everyMs ?? rekeyEveryMs;
    this.#want = want;
  }

  /** After this time under a newer key strands are replaced, ms. */
  get strandOldMs(): number {
    return this.#everyMs * strandOldShare;
  }

  /** A handshake was made: its key's time begins. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#want, this.#everyMs * (1 - jitterShare * Math.random())).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
