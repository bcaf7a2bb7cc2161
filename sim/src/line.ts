/** An access line as TCP sees it: a rate, a delay and a queue each way; it may go silent, and come back. */

import { type PathLimits, segmentBytes } from '@tresse/core';
import type { Prng } from '@tresse/kit';

import { Jitter } from './link-jitter.ts';

export interface LineSpec {
  /** Towards the box and from it, bits per second. */
  readonly downBps: number;
  readonly upBps: number;
  /** One way, ms. */
  readonly delayMs: number;
  /** Added to the delay: wanders between 0 and this, order kept, ms. */
  readonly jitterMs: number;
  /** Share of segments lost, each way. */
  readonly lossRatio: number;
  /** Share of segments that take so much longer, ms, and are overtaken; none where absent. */
  readonly reorderRatio?: number;
  readonly reorderMs?: number;
  /** What waits longer is dropped at the tail, ms. */
  readonly queueMs: number;
  /** As configured at the box. */
  readonly metered?: boolean;
  readonly limits?: PathLimits;
  /** An operator's proxy at the far end takes every connection, acknowledges by itself, and carries it on from there. */
  readonly proxy?: ProxySpec;
}

export interface ProxySpec {
  /** Between proxy and relay, each way, bits per second. */
  readonly bps: number;
  /** One way, ms. */
  readonly delayMs: number;
}

/** What a datacentre's wire lets wait, ms. */
const wireQueueMs = 20;

/** Even the shortest queue of a real device holds two full packets. */
const queueFloorBytes: number = 2 * segmentBytes;

/**
 * One direction, as the link model of the lab in runs of segments: what is sent waits until what came before has left, then
 * takes its delay, which wanders. Losses and strays are drawn segment by segment.
 */
export class Direction {
  /** Bytes per ms. */
  rate: number;
  readonly #line: Line;
  readonly #prng: Prng;
  #jitter: Jitter;
  #freeAtMs = 0;
  #lastArrivalMs = 0;

  constructor(bps: number, line: Line, prng: Prng) {
    this.rate = bps / 8_000;
    this.#line = line;
    this.#prng = prng;
    this.#jitter = new Jitter(prng);
  }

  /** What a new piece waits before its own transmission, ms. */
  queueMs(nowMs: number): number {
    return Math.max(0, this.#freeAtMs - nowMs);
  }

  /** Bytes the queue still takes; what is more is dropped at its tail. */
  roomBytes(nowMs: number): number {
    const waiting = this.queueMs(nowMs) * this.rate;
    return Math.max(this.rate * this.#line.queueMs, queueFloorBytes) - waiting;
  }

  /** How many segments of a run of `count` stay together; the one after them is lost, or strays. */
  evenSegments(count: number): number {
    const { lossRatio, reorderRatio } = this.#line;
    const odd = lossRatio + (1 - lossRatio) * reorderRatio;
    if (odd <= 0) return count;
    return Math.min(count, Math.floor(Math.log(1 - this.#prng.float()) / Math.log(1 - Math.min(odd, 0.999_999))));
  }

  /** Whether the segment after an even run is lost; else it strays. */
  oddIsLost(): boolean {
    const { lossRatio, reorderRatio } = this.#line;
    return reorderRatio === 0 || this.#prng.chance(lossRatio / (lossRatio + (1 - lossRatio) * reorderRatio));
  }

  /** Sends bytes now; returns when the last of them arrives, ms. Strays take longer, and hold nobody up. */
  send(bytes: number, stray: boolean, nowMs: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / this.rate;
    const arrivalMs = this.#freeAtMs + this.#line.delayMs + this.#jitter.at(this.#freeAtMs, this.#line.jitterMs);
    if (stray) return arrivalMs + this.#line.reorderMs;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs);
    return this.#lastArrivalMs;
  }

  /** When an acknowledgement sent now arrives, ms: it takes no room, but its place in the queue; undefined: it is lost. */
  acknowledge(nowMs: number): number | undefined {
    const { lossRatio } = this.#line;
    return lossRatio > 0 && this.#prng.chance(lossRatio) ? undefined : this.send(0, false, nowMs);
  }

  clear(): void {
    this.#freeAtMs = 0;
    this.#lastArrivalMs = 0;
    this.#jitter = new Jitter(this.#prng);
  }
}

export class Line {
  readonly path: number;
  readonly down: Direction;
  readonly up: Direction;
  delayMs: number;
  jitterMs: number;
  lossRatio: number;
  reorderRatio: number;
  reorderMs: number;
  readonly queueMs: number;
  /** From the proxy to the relay; undefined where no proxy is. */
  readonly beyond: Line | undefined;
  readonly #spec: LineSpec;
  #alive = true;
  #deaf = false;
  /** Changes whenever the line dies: what was on its way then is lost. */
  #life = 0;

  constructor(path: number, spec: LineSpec, prng: Prng) {
    this.path = path;
    this.#spec = spec;
    this.down = new Direction(spec.downBps, this, prng);
    this.up = new Direction(spec.upBps, this, prng);
    this.delayMs = spec.delayMs;
    this.jitterMs = spec.jitterMs;
    this.lossRatio = spec.lossRatio;
    this.reorderRatio = spec.reorderRatio ?? 0;
    this.reorderMs = spec.reorderMs ?? 0;
    this.queueMs = spec.queueMs;
    if (spec.proxy) {
      const { bps, delayMs } = spec.proxy;
      this.beyond = new Line(
        path,
        {
          downBps: bps,
          upBps: bps,
          delayMs,
          jitterMs: 0,
          lossRatio: 0,
          queueMs: wireQueueMs,
        },
        prng,
      );
    }
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
    this.jitterMs = this.#spec.jitterMs;
    this.lossRatio = 0;
    this.reorderRatio = 0;
  }

  /** Whether what left in that life of the line arrives now. */
  carries(life: number): boolean {
    return this.#alive && this.#life === life;
  }
}
