/** One strand's TCP connection: records in and out, sealed and opened in place. */
import { limits, readU32, type Strand, writeU32 } from '@tresse/core';
import type { Parts, Slab } from '@tresse/kit';
import {
  type Aead,
  type AeadKey,
  closeWithReset,
  EAGAIN,
  EINTR,
  type EventLoop,
  FAILED,
  HANGUP,
  nativeSlab,
  READABLE,
  recvInto,
  sendFrom,
  setMaxPacingRate,
  type Timer,
  WRITABLE,
} from '@tresse/sys';

import { SegmentFill } from './segment-fill.ts';

/** Room to receive into: a record that was begun, and whole ones behind it. */
const inBytes = 2 * limits.recordBytesMax;
/** Room for what the kernel did not take of one record, and one more. */
const outBytes = 2 * limits.recordBytesMax;
/** Turns of receiving per wake-up: other descriptors have their turn too. */
const receivesMax = 8;

/** No further turn after so long, ms: a record of thousands of tiny frames takes longer than it looks. */
const receiveMsMax = 2;
/** A pace that differs by less is not worth telling the kernel. */
const paceStep = 0.01;

/**
 * A bulk strand is read so seldom, ms and round trips. The kernel acknowledges what is read: reading each pair of segments as
 * it comes costs a tenth of an uplink of a sixth of the downlink's rate, and a wake-up for a part of a record.
 */
const restMsMax = 2;
const restRtts = 1 / 16;
/** A shorter rest is not worth its timer. */
const restMsMin = 0.3;

/** What a strand's socket tells its owner. */
export interface StrandOwner {
  /** An authenticated record's frames at [start, end). Returns why the strand must close, or undefined. */
  onRecord(socket: StrandSocket, slab: Slab, start: number, end: number): string | undefined;
  onWritable(socket: StrandSocket): void;
  /** Whether there is time in this turn to receive; if not, the kernel says again in the next one that something is there. */
  mayReceive(): boolean;
  /** Receiving took so long, ms. */
  received(tookMs: number): void;
  /** The kernel took nothing or a part: more waits, {@link onWritable} follows. Again after each further part. */
  onBlocked(socket: StrandSocket): void;
  /** The connection ended or was ended for a reason; its descriptor is closed. */
  onClosed(socket: StrandSocket, reason: string): void;
}

export class StrandSocket {
  readonly fd: number;
  /** Set by the owner when the session knows the strand. */
  strand: Strand | undefined;
  /** The connection was ended by the other side or by the network, not by us. */
  endedByPeer = false;
  /** The connection was ended because a record was no record, or not authentic. */
  forged = false;
  readonly fill: SegmentFill = new SegmentFill();
  readonly #loop: EventLoop;
  readonly #aead: Aead;
  readonly #sealKey: AeadKey;
  readonly #openKey: AeadKey;
  readonly #owner: StrandOwner;
  #sealCounter: number;
  #openCounter: number;
  readonly #in: Slab = nativeSlab(inBytes);
  #inFilled = 0;
  /** The rest of a record the kernel did not take. */
  #out: Slab | undefined;
  #outStart = 0;
  #outEnd = 0;
  #closed = false;
  #pace = Infinity;
  #receivedMs = 0;
  #resting = false;
  /** Ends a rest. */
  readonly #wake: Timer;

  constructor(
    fd: number,
    loop: EventLoop,
    aead: Aead,
    keys: { seal: AeadKey; sealCounter: number; open: AeadKey; openCounter: number },
    owner: StrandOwner,
  ) {
    this.fd = fd;
    this.#loop = loop;
    this.#aead = aead;
    this.#sealKey = keys.seal;
    this.#sealCounter = keys.sealCounter;
    this.#openKey = keys.open;
    this.#openCounter = keys.openCounter;
    this.#owner = owner;
    this.#wake = loop.timer(() => this.#endRest());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Memory of its own, bytes. */
  get ownBytes(): number {
    return inBytes + (this.#out ? outBytes : 0);
  }

  /** Bytes of a record that wait here for the kernel. */
  get waitingBytes(): number {
    return this.#outEnd - this.#outStart;
  }

  /** Starts to listen for what comes; the descriptor must not be watched yet. */
  watch(): void {
    this.#loop.add(this.fd, READABLE, (events) => this.#onEvents(events));
  }

  /** Sends plain bytes, before any record (the opening). */
  sendPlain(slab: Slab, length: number): void {
    this.#push(slab, length);
  }

  /**
   * Seals the text that stands behind the length field of `slab`, or in part in `parts`, and sends the record. The slab is free
   * afterwards.
   */
  sendRecord(slab: Slab, textLength: number, parts?: Parts): void {
    writeU32(slab.bytes, 0, textLength);
    this.#aead.seal(
      this.#sealKey,
      this.#sealCounter++,
      slab,
      0,
      limits.recordHeaderBytes,
      limits.recordHeaderBytes,
      textLength,
      parts,
    );
    this.#push(slab, limits.recordHeaderBytes + textLength + limits.tagBytes);
  }

  /** The kernel shall send no faster than so many bytes a second; Infinity: as fast as it sees fit. */
  pace(bytesPerSecond: number): void {
    const same = bytesPerSecond === this.#pace || Math.abs(bytesPerSecond - this.#pace) < paceStep * this.#pace;
    if (same || this.#closed) return;
    this.#pace = bytesPerSecond;
    setMaxPacingRate(this.fd, bytesPerSecond);
  }

  /** Ends the connection by RST and erases its keys. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake.cancel();
    this.#loop.remove(this.fd);
    closeWithReset(this.fd);
    this.#aead.eraseKey(this.#sealKey);
    this.#aead.eraseKey(this.#openKey);
    this.#out = undefined;
    this.#owner.onClosed(this, reason);
  }

  #lost(reason: string): void {
    this.endedByPeer = true;
    this.close(reason);
  }

  #push(slab: Slab, length: number): void {
    if (this.#closed) return;
    let sent = 0;
    if (this.#outEnd === this.#outStart) {
      sent = sendFrom(this.fd, slab.address, length);
      if (sent === length) return;
      if (sent < 0) {
        if (sent !== -EAGAIN && sent !== -EINTR) {
          this.#lost('write failed');
          return;
        }
        sent = 0;
      }
    }
    this.#keep(slab, sent, length);
  }

  #keep(slab: Slab, from: number, to: number): void {
    this.#out ??= nativeSlab(outBytes);
    if (this.#outStart === this.#outEnd) {
      this.#outStart = 0;
      this.#outEnd = 0;
    }
    if (this.#outEnd + to - from > outBytes) {
      // Whoever heard that the strand is blocked and sends all the same loses the strand, not the worker.
      this.close('more is sent than can wait');
      return;
    }
    this.#out.bytes.set(slab.bytes.subarray(from, to), this.#outEnd);
    this.#outEnd += to - from;
    this.#listen();
    this.#owner.onBlocked(this);
  }

  #onEvents(events: number): void {
    if ((events & WRITABLE) !== 0) this.#flush();
    if (this.#closed) return;
    if ((events & (HANGUP | FAILED)) !== 0) this.#receive();
    else if ((events & READABLE) !== 0) this.#receiveOrRest();
  }

  #receiveOrRest(): void {
    const dueMs = this.#receivedMs + this.#restMs;
    if (this.#loop.nowMs >= dueMs) {
      this.#receive();
      return;
    }
    this.#resting = true;
    this.#listen();
    this.#wake.at(dueMs);
  }

  /** What is short beside the round trip, where nobody waits for a single record. */
  get #restMs(): number {
    const { strand } = this;
    if (!strand || strand.quick || strand.datagram) return 0;
    const restMs = Math.min(restMsMax, strand.minRttMs * restRtts);
    return restMs < restMsMin ? 0 : restMs;
  }

  #endRest(): void {
    this.#resting = false;
    this.#listen();
    this.#receive();
  }

  #listen(): void {
    const writes = this.#outEnd > this.#outStart ? WRITABLE : 0;
    this.#loop.modify(this.fd, (this.#resting ? 0 : READABLE) | writes);
  }

  #flush(): void {
    const out = this.#out;
    if (!out || this.#outStart === this.#outEnd) return;
    const sent = sendFrom(this.fd, out.address + this.#outStart, this.#outEnd - this.#outStart);
    if (sent < 0) {
      if (sent !== -EAGAIN && sent !== -EINTR) this.#lost('write failed');
      return;
    }
    this.#outStart += sent;
    if (this.#outStart < this.#outEnd) {
      this.#owner.onBlocked(this);
      return;
    }
    this.#listen();
    this.#owner.onWritable(this);
  }

  #receive(): void {
    if (!this.#owner.mayReceive()) return;
    this.#receivedMs = this.#loop.nowMs;
    const startMs = performance.now();
    let tookMs = 0;
    for (let i = 0; i < receivesMax && !this.#closed && tookMs < receiveMsMax; i++) {
      const more = this.#receiveOnce();
      tookMs = performance.now() - startMs;
      if (!more) break;
    }
    this.#owner.received(tookMs);
  }

  /** Returns whether more may wait in the kernel. */
  #receiveOnce(): boolean {
    const room = this.#in.bytes.length - this.#inFilled;
    const count = recvInto(this.fd, this.#in.address + this.#inFilled, room);
    if (count === -EAGAIN || count === -EINTR) return false;
    if (count <= 0) {
      this.#lost(count === 0 ? 'ended by the peer' : 'connection failed');
      return false;
    }
    this.#inFilled += count;
    this.#takeRecords();
    return count === room;
  }

  /** Opens and hands on every whole record received so far. */
  #takeRecords(): void {
    const slab = this.#in;
    let at = 0;
    while (this.#inFilled - at >= limits.recordHeaderBytes) {
      const length = readU32(slab.bytes, at);
      if (length === 0 || length > limits.recordTextMax) {
        this.forged = true;
        this.close('record length out of bounds');
        return;
      }
      const text = at + limits.recordHeaderBytes;
      const next = text + length + limits.tagBytes;
      if (next > this.#inFilled) break;
      if (!this.#aead.open(this.#openKey, this.#openCounter++, slab, at, limits.recordHeaderBytes, text, length)) {
        this.forged = true;
        this.close('record not authentic');
        return;
      }
      const wrong = this.#owner.onRecord(this, slab, text, text + length);
      if (this.#closed) return;
      if (wrong !== undefined) {
        this.close(wrong);
        return;
      }
      at = next;
    }
    if (at > 0) {
      slab.bytes.copyWithin(0, at, this.#inFilled);
      this.#inFilled -= at;
    }
  }
}
