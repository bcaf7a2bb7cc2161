import { OpenAllowance } from '@tresse/core';

/** How many handshakes a source may begin in a second, and how many seconds' worth at once: each costs the main thread a few ms. */
const perSecond = 16;
const savedS = 4;
/** Sources remembered; the one unheard of for longest is forgotten, and begins anew. */
const sourcesMax = 4_096;

/**
 * What strangers may ask of the main thread, by where they come from: one who asks without end must not keep boxes from their
 * handshakes.
 */
export class SourceAllowance {
  readonly #sources = new Map<string, OpenAllowance>();

  /** Takes one handshake from a source's allowance; false when nothing is left of it. */
  take(source: string, nowMs: number): boolean {
    const known = this.#sources.get(source) ?? new OpenAllowance(perSecond, savedS, nowMs);
    // Taken out and put in again: the map's order is that of the last visit.
    this.#sources.delete(source);
    this.#sources.set(source, known);
    if (this.#sources.size > sourcesMax) this.#sources.delete(this.#sources.keys().next().value ?? '');
    return known.take(nowMs);
  }
}
