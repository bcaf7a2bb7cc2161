/** One TCP connection between box and relay over a line: two halves, two ends that close each for itself. */
import { limits, openingBytes, type StrandInfo, type StrandRole } from '@tresse/core';

import type { Clock } from './clock.ts';
import type { Line } from './line.ts';
import { type HalfEvents, TcpHalf } from './tcp-half.ts';

/** What the owner of one end is told. */
export interface EndEvents {
  readonly onContent: (connection: Connection, content: Uint8Array) => void;
  readonly onAcked: (connection: Connection) => void;
  /** Reset by the other end or on the way, or given up by the kernel. */
  readonly onDown: (connection: Connection) => void;
}

export type EndName = 'box' | 'relay';

/** Of an opening or a record with this text, on the wire. */
const wireBytes = (content: Uint8Array): number =>
  content.length === 0 ? openingBytes : limits.recordHeaderBytes + content.length + limits.tagBytes;

/** IP and TCP headers are not counted: every rate here is of TCP payload. */
export class Connection {
  readonly id: number;
  readonly line: Line;
  readonly role: StrandRole;
  readonly #clock: Clock;
  readonly #open: Record<EndName, boolean> = { box: true, relay: true };
  /** What each end sends, and what comes to it: the same TCP, or another one from a proxy on. */
  readonly #leaving: Record<EndName, TcpHalf>;
  readonly #arriving: Record<EndName, TcpHalf>;
  readonly #events: Record<EndName, EndEvents>;
  #swallowed = false;
  /** A proxy died with some of it: nothing passes any more, and the next proxy resets it. */
  #severed = false;

  constructor(
    clock: Clock,
    line: Line,
    id: number,
    role: StrandRole,
    rttMs: number,
    events: Record<EndName, EndEvents>,
  ) {
    this.id = id;
    this.line = line;
    this.role = role;
    this.#clock = clock;
    this.#events = events;
    const box = this.#direction('box', 'relay', rttMs);
    const relay = this.#direction('relay', 'box', rttMs);
    this.#leaving = { box: box.first, relay: relay.first };
    this.#arriving = { box: relay.last, relay: box.last };
  }

  /** What an end sends. */
  half(end: EndName): TcpHalf {
    return this.#leaving[end];
  }

  isOpen(end: EndName): boolean {
    return this.#open[end];
  }

  /** What the kernel says at an end. */
  info(end: EndName): StrandInfo {
    const half = this.#leaving[end];
    return {
      rttMs: half.rttMs,
      minRttMs: half.minRttMs,
      unsentBytes: half.unsentBytes,
      unackedSegments: half.unackedSegments,
      segmentsInFlight: half.segmentsInFlight,
      bytesInFlight: half.bytesInFlight,
      segmentsIn: half.segmentsIn + this.#arriving[end].segmentsOut,
      bytesAcked: half.bytesAcked,
      deliveryRate: half.deliveryRate,
      sourceLimited: half.sourceLimited,
      windowBytes: half.windowBytes,
    };
  }

  /** One end closes by a reset, which reaches the other if the line still carries it. */
  close(end: EndName): void {
    if (!this.#open[end]) return;
    this.#end(end);
    this.#tell(end === 'box' ? 'relay' : 'box');
  }

  /** Something on the way resets both ends. */
  reset(): void {
    this.#tell('box');
    this.#tell('relay');
  }

  /** A NAT or firewall forgets the connection: nothing passes any more, nobody is told. */
  swallow(): void {
    this.#swallowed = true;
  }

  #end(end: EndName): void {
    this.#open[end] = false;
    this.#leaving[end].end();
    this.#arriving[end === 'box' ? 'relay' : 'box'].end();
  }

  #direction(from: EndName, to: EndName, rttMs: number): { first: TcpHalf; last: TcpHalf } {
    const { line } = this;
    const receives = (): boolean => this.#open[to];
    const swallowed = (): boolean => this.#swallowed;
    const onAcked = (): void => this.#events[from].onAcked(this);
    const down = (): void => this.#down(from);
    const ends = { swallowed, onRefused: down, onGivenUp: down };
    const half = (over: Line, events: HalfEvents): TcpHalf => {
      const [way, back] = from === 'box' ? [over.up, over.down] : [over.down, over.up];
      return new TcpHalf(this.#clock, over, way, back, over === line ? rttMs : 2 * over.delayMs + 0.1, events);
    };
    const onWhole = (content: Uint8Array): void => {
      this.#severed ||= line.deaf;
      if (!this.#severed) this.#events[to].onContent(this, content);
      else if (!line.deaf) this.reset();
    };
    if (!line.beyond) {
      const only = half(line, { ...ends, receives, onWhole, onAcked });
      return { first: only, last: only };
    }
    const [near, far] = from === 'box' ? [line, line.beyond] : [line.beyond, line];
    const last = half(far, { ...ends, receives, onWhole, onAcked: () => {} });
    // It takes whatever comes, and keeps what its other side does not take yet.
    const first = half(near, {
      ...ends,
      receives: () => true,
      onWhole: (content) => last.write(content, wireBytes(content)),
      onAcked,
    });
    return { first, last };
  }

  #tell(end: EndName): void {
    const { life, alive, delayMs } = this.line;
    if (!alive || this.#swallowed) return;
    this.#clock.at(this.#clock.nowMs + delayMs, () => {
      if (this.line.carries(life)) this.#down(end);
    });
  }

  #down(end: EndName): void {
    if (!this.#open[end]) return;
    this.#end(end);
    this.#events[end].onDown(this);
  }
}
