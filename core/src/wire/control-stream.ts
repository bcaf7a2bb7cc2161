/**
 * Stream 0: what the two daemons say to each other, braided like any other stream, so that it survives any line. Messages
 * are `length 4 | bytes`, 64 KiB at most; their meaning is the daemons'.
 */
import type { Slab } from '@tresse/kit';

import { messageBurstBytes, messageBytesPerSecond } from '../limits.ts';
import { readU32, writeU32 } from './wire.ts';

/** Largest message, bytes. */
export const messageBytesMax = 65_536;
const headerBytes = 4;

/** What a message costs at least, bytes: an empty one is work too. */
const messageCostMin = 1_024;

/**
 * How much a peer may say: every message goes to the main thread, whose handshakes must not wait behind it. A bucket of
 * bytes, filled again with time.
 */
export class MessageAllowance {
  #bytes: number = messageBurstBytes;
  #filledMs: number;

  constructor(nowMs: number) {
    this.#filledMs = nowMs;
  }

  /** Takes a message's cost; false when there is not enough left. */
  spend(messageBytes: number, nowMs: number): boolean {
    const filled = this.#bytes + ((nowMs - this.#filledMs) * messageBytesPerSecond) / 1_000;
    this.#bytes = Math.min(messageBurstBytes, filled);
    this.#filledMs = nowMs;
    const cost = Math.max(messageBytes, messageCostMin);
    if (cost > this.#bytes) return false;
    this.#bytes -= cost;
    return true;
  }
}

/** A message as it stands in the stream. */
export function framedMessage(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(headerBytes + message.length);
  writeU32(framed, 0, message.length);
  framed.set(message, headerBytes);
  return framed;
}

/** Puts messages together from in-order bytes, however they are cut. */
export class MessageReader {
  readonly #onMessage: (message: Uint8Array) => void;
  readonly #header: Uint8Array = new Uint8Array(headerBytes);
  #headerFilled = 0;
  #message: Uint8Array | undefined;
  #filled = 0;
  #broken = false;

  constructor(onMessage: (message: Uint8Array) => void) {
    this.#onMessage = onMessage;
  }

  /** A message was announced that is too large: the peer breaks the rules. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Takes all of [start, start + length); returns length. */
  take(slab: Slab, start: number, length: number): number {
    const end = start + length;
    let at = start;
    while (at < end && !this.#broken) at = this.#message ? this.#takeBody(slab, at, end) : this.#takeHeader(slab, at);
    return length;
  }

  #takeHeader(slab: Slab, at: number): number {
    this.#header[this.#headerFilled++] = slab.bytes[at] ?? 0;
    if (this.#headerFilled < headerBytes) return at + 1;
    this.#headerFilled = 0;
    const length = readU32(this.#header, 0);
    if (length > messageBytesMax) this.#broken = true;
    else if (length === 0) this.#onMessage(new Uint8Array(0));
    else {
      this.#message = new Uint8Array(length);
      this.#filled = 0;
    }
    return at + 1;
  }

  #takeBody(slab: Slab, at: number, end: number): number {
    const message = this.#message;
    if (!message) return at;
    const count = Math.min(end - at, message.length - this.#filled);
    message.set(slab.bytes.subarray(at, at + count), this.#filled);
    this.#filled += count;
    if (this.#filled === message.length) {
      this.#message = undefined;
      this.#onMessage(message);
    }
    return at + count;
  }
}
