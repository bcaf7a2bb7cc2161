/**
 * Which of what was sent is lost, by time of sending: what left before something that has arrived (RACK, RFC 8985), given a
 * reordering window once reordering has been seen. Lost retransmissions are found in the same way.
 */
import { NumberedQueue } from '@tresse/kit';

import type { Piece } from './piece.ts';

/** The window grows by a quarter of the shortest round trip with each round trip that saw a needless retransmission, up to the smoothed one. */
const windowStep = 0.25;

export class LossDetection {
  /** All transmissions in their order; those overtaken by a later one of the same piece are skipped. */
  readonly #sent: NumberedQueue<Piece> = new NumberedQueue();
  #order = 0;
  #newestAcked = -1;
  #rttMs = 0;
  #reordering = false;
  #steps = 1;
  #steppedMs = 0;
  /** When to look again, ms; Infinity: with the next acknowledgement. */
  dueMs: number = Infinity;

  /** Notes a transmission. */
  sent(piece: Piece): void {
    piece.order = this.#order++;
    this.#sent.push(piece.order, piece);
  }

  /** Notes what an acknowledgement says of a piece for the first time. */
  acked(piece: Piece, minRttMs: number, nowMs: number): void {
    // Sooner than a round trip: it was the first of two that arrived.
    if (piece.retransmitted && nowMs - piece.sentMs < minRttMs) return;
    if (piece.order > this.#newestAcked) {
      this.#newestAcked = piece.order;
      this.#rttMs = nowMs - piece.sentMs;
    } else if (!piece.retransmitted) this.#reordering = true;
  }

  /** Something arrived twice: a retransmission was needless. */
  needless(rttMs: number, nowMs: number): void {
    this.#reordering = true;
    if (nowMs - this.#steppedMs < rttMs) return;
    this.#steppedMs = nowMs;
    this.#steps++;
  }

  /** Moves what is lost by now to `lost`; returns its bytes. */
  detect(lost: Piece[], minRttMs: number, rttMs: number, nowMs: number): number {
    const windowMs = this.#reordering ? Math.min(minRttMs * windowStep * this.#steps, rttMs) : 0;
    let bytes = 0;
    this.dueMs = Infinity;
    while (this.#sent.headNumber() < this.#newestAcked) {
      const piece = this.#sent.at(0);
      if (!piece) break;
      const stale = piece.acked || piece.lost || piece.order !== this.#sent.headNumber();
      const dueMs = piece.sentMs + this.#rttMs + windowMs;
      if (!stale && windowMs > 0 && dueMs > nowMs) {
        this.dueMs = dueMs;
        break;
      }
      this.#sent.shift();
      if (stale) continue;
      piece.lost = true;
      lost.push(piece);
      bytes += piece.end - piece.start;
    }
    return bytes;
  }

  /** A time-out: nothing is known of what was sent before. */
  clear(): void {
    this.#sent.clear();
    this.dueMs = Infinity;
  }
}
