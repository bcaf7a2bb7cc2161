import { dataOverheadBytes, recordHeaderBytes, tagBytes } from '../limits.ts';
/**
 * What a strand has on its way and how fast it goes, told by the other end's ACK frames. Where a proxy acknowledges by itself the kernel's
 * figures speak of the way to the proxy, and of what it keeps: megabytes that no line carries yet. Rates are taken as the kernel takes them
 * (Cheng et al., draft-cheng-iccrg-delivery-rate-estimation), with chunks for segments.
 */
import type { Chunk } from '../stream/chunk.ts';

const overheadBytes: number = dataOverheadBytes + recordHeaderBytes + tagBytes;

export class RecordFlight {
  /** What a proxy makes of a pace is its own. */
  readonly paced = false;
  readonly unsentBytes = 0;
  #givenBytes = 0;
  #bytesAcked = 0;
  #ackedMs = 0;
  #rttMs = 0;
  #deliveryRate = 0;

  /** Of chunks' records, given to the kernel since the beginning and acknowledged by the other end, bytes. */
  get bytesAcked(): number {
    return this.#bytesAcked;
  }

  /** Given and not acknowledged, what the kernel has not sent included, bytes. */
  get bytesInFlight(): number {
    return this.#givenBytes - this.#bytesAcked;
  }

  /** Smoothed time from a chunk's leaving to word of it, ms; 0: not measured. */
  get rttMs(): number {
    return this.#rttMs;
  }

  /** The newest rate, bytes per second; 0: none. */
  get deliveryRate(): number {
    return this.#deliveryRate;
  }

  /** A chunk is given to the strand. */
  give(chunk: Chunk, nowMs: number): void {
    if (this.bytesInFlight <= 0) this.#ackedMs = nowMs;
    this.#givenBytes += chunk.length + overheadBytes;
    chunk.flightEnd = this.#givenBytes;
    chunk.ackedThen = this.#bytesAcked;
    chunk.ackedThenMs = this.#ackedMs;
  }

  /** The other end has this chunk, and all that went here before it. */
  acknowledge(chunk: Chunk, nowMs: number): void {
    if (chunk.flightEnd <= this.#bytesAcked) return;
    this.#bytesAcked = chunk.flightEnd;
    this.#ackedMs = nowMs;
    const rttMs = nowMs - chunk.sentMs;
    this.#rttMs = this.#rttMs === 0 ? rttMs : this.#rttMs * 0.875 + rttMs * 0.125;
    const elapsedMs = nowMs - chunk.ackedThenMs;
    if (elapsedMs > 0) this.#deliveryRate = ((this.#bytesAcked - chunk.ackedThen) * 1_000) / elapsedMs;
  }

  /** Nothing is unacknowledged: what was lost or went again elsewhere is not on its way either. */
  settle(): void {
    this.#bytesAcked = this.#givenBytes;
  }
}
