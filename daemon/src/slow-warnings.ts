/** So long is an answer good: what it is about is changed by hand. */
const goodMs = 60_000;

/**
 * Warnings that cost a look at the machine: found when somebody asks for the status, and not again within a minute. A look that
 * fails finds nothing.
 */
export class SlowWarnings {
  readonly #find: () => Promise<readonly string[]>;
  #known: Promise<readonly string[]> | undefined;
  #atMs = 0;

  constructor(find: () => Promise<readonly string[]>) {
    this.#find = find;
  }

  /** The sentences as they were found within the last minute; `nowMs` is monotonic. */
  sentences(nowMs: number): Promise<readonly string[]> {
    if (this.#known && nowMs - this.#atMs < goodMs) return this.#known;
    this.#atMs = nowMs;
    this.#known = this.#find().catch(() => []);
    return this.#known;
  }
}
