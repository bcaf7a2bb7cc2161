/** The largest value lately: each loses half of itself in a half-life, so that what happened once is forgotten bit by bit. */
export class FadingMax {
  readonly #halfLifeMs: number;
  #value: number;
  #atMs = 0;

  constructor(first: number, halfLifeMs: number) {
    this.#value = first;
    this.#halfLifeMs = halfLifeMs;
  }

  get(nowMs: number): number {
    return this.#value * 2 ** -((nowMs - this.#atMs) / this.#halfLifeMs);
  }

  raise(value: number, nowMs: number): void {
    this.#value = Math.max(value, this.get(nowMs));
    this.#atMs = nowMs;
  }
}
