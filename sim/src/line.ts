import type { PathLimits } from '@tresse/core';

/** An access line as TCP sees it: a rate, a delay and a queue each way; it may go silent, and come back. */

export interface LineSpec {
  /** Towards the box and from it, bits per second. */
  readonly downBps: number;
  readonly upBps: number;
  /** One way, ms. */
  readonly delayMs: number;
  /** Extra delay of each piece, up to this, order kept, ms. */
  readonly jitterMs: number;
  /** Share of segments lost. */
  readonly lossRatio: number;
  /** What waits longer is dropped at the tail, ms. */
  readonly queueMs: number;
  /** As configured at the box. */
  readonly metered?: boolean;
  readonly limits?: PathLimits;
}

/** One direction: what is sent waits until the pieces before it have left. */
export class Direction {
  /** Bytes per ms. */
  rate: number;
  #freeAtMs = 0;

  constructor(bps: number) {
    this.rate = bps / 8_000;
  }

  /** What a new piece waits before its own transmission, ms. */
  queueMs(nowMs: number): number {
    return Math.max(0, this.#freeAtMs - nowMs);
  }

  /** When the last bit of a piece given now has left, ms. */
  send(bytes: number, nowMs: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / this.rate;
    return this.#freeAtMs;
  }

  clear(): void {
    this.#freeAtMs = 0;
  }
}

export class Line {
  readonly path: number;
  readonly down: Direction;
  readonly up: Direction;
  delayMs: number;
  jitterMs: number;
  lossRatio: number;
  readonly queueMs: number;
  readonly #spec: LineSpec;
  #alive = true;
  #deaf = false;
  /** Changes whenever the line dies: what was on its way then is lost. */
  #life = 0;

  constructor(path: number, spec: LineSpec) {
    this.path = path;
    this.#spec = spec;
    this.down = new Direction(spec.downBps);
    this.up = new Direction(spec.upBps);
    this.delayMs = spec.delayMs;
    this.jitterMs = spec.jitterMs;
    this.lossRatio = spec.lossRatio;
    this.queueMs = spec.queueMs;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** A proxy at the far end has died: it acknowledges, and passes nothing on. */
  get deaf(): boolean {
    return this.#deaf;
  }

  deafen(): void {
    this.#deaf = true;
  }

  /** Another proxy; it knows nothing of the connections of the one before, which the caller resets. */
  undeafen(): void {
    this.#deaf = false;
  }

  get life(): number {
    return this.#life;
  }

  /** Nothing moves any more, in either direction; nobody is told. */
  cut(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#life++;
    this.down.clear();
    this.up.clear();
  }

  restore(): void {
    this.#alive = true;
  }

  /** Both directions become so much faster or slower than at first. */
  scale(factor: number): void {
    this.down.rate = (this.#spec.downBps / 8_000) * factor;
    this.up.rate = (this.#spec.upBps / 8_000) * factor;
  }

  /** As it was at first, but what it lost while it was not is not given back. */
  heal(): void {
    this.restore();
    this.scale(1);
    this.delayMs = this.#spec.delayMs;
    this.lossRatio = 0;
  }

  /** Whether what left in that life of the line arrives now. */
  carries(life: number): boolean {
    return this.#alive && this.#life === life;
  }
}
