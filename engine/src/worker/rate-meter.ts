import type { Path } from '@tresse/core';

interface Reading {
  atMs: number;
  bytesIn: number;
  bytesOut: number;
  inBps: number;
  outBps: number;
}

/** Readings closer than this are not worth a rate, ms. */
const gapMs = 400;

/** What each path carried lately, for people: bits per second between the last two readings. */
export class RateMeter {
  readonly #paths = new Map<number, Reading>();

  sample(paths: Iterable<Path>, nowMs: number): void {
    for (const path of paths) {
      const last = this.#paths.get(path.id);
      if (!last) {
        this.#paths.set(path.id, { atMs: nowMs, bytesIn: path.bytesIn, bytesOut: path.bytesOut, inBps: 0, outBps: 0 });
      } else if (nowMs - last.atMs >= gapMs) {
        const seconds = (nowMs - last.atMs) / 1_000;
        last.inBps = ((path.bytesIn - last.bytesIn) * 8) / seconds;
        last.outBps = ((path.bytesOut - last.bytesOut) * 8) / seconds;
        last.atMs = nowMs;
        last.bytesIn = path.bytesIn;
        last.bytesOut = path.bytesOut;
      }
    }
  }

  rates(path: number): { inBps: number; outBps: number } {
    return this.#paths.get(path) ?? { inBps: 0, outBps: 0 };
  }
}
