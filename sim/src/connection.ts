/** One TCP connection between box and relay over a line: two halves, two ends that close each for itself. */
import type { StrandInfo, StrandRole } from '@tresse/core';

import type { Clock } from './clock.ts';
import type { Line } from './line.ts';
import { TcpHalf } from './tcp-half.ts';

/** What the owner of one end is told. */
export interface EndEvents {
  readonly onContent: (connection: Connection, content: Uint8Array) => void;
  readonly onAcked: (connection: Connection) => void;
  /** Reset by the other end or on the way, or given up by the kernel. */
  readonly onDown: (connection: Connection) => void;
}

export type EndName = 'box' | 'relay';

/** IP and TCP headers are not counted: every rate here is of TCP payload. */
export class Connection {
  readonly id: number;
  readonly line: Line;
  readonly role: StrandRole;
  readonly #clock: Clock;
  readonly #open: Record<EndName, boolean> = { box: true, relay: true };
  readonly #halves: Record<EndName, TcpHalf>;
  readonly #events: Record<EndName, EndEvents>;
  #swallowed = false;

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
    const half = (from: EndName, to: EndName): TcpHalf =>
      new TcpHalf(clock, line, from === 'box' ? line.up : line.down, from === 'box' ? line.down : line.up, rttMs, {
        receives: () => this.#open[to],
        swallowed: () => this.#swallowed,
        onWhole: (content) => {
          if (!line.deaf) events[to].onContent(this, content);
        },
        onAcked: () => events[from].onAcked(this),
        onRefused: () => this.#down(from),
        onGivenUp: () => this.#down(from),
      });
    this.#halves = { box: half('box', 'relay'), relay: half('relay', 'box') };
  }

  /** What an end sends. */
  half(end: EndName): TcpHalf {
    return this.#halves[end];
  }

  isOpen(end: EndName): boolean {
    return this.#open[end];
  }

  /** What the kernel says at an end. */
  info(end: EndName): StrandInfo {
    const half = this.#halves[end];
    const other = this.#halves[end === 'box' ? 'relay' : 'box'];
    return {
      rttMs: half.rttMs,
      minRttMs: half.minRttMs,
      unsentBytes: half.unsentBytes,
      unackedSegments: half.unackedSegments,
      segmentsInFlight: half.segmentsInFlight,
      bytesInFlight: half.bytesInFlight,
      segmentsIn: half.segmentsIn + other.segmentsOut,
      bytesAcked: half.bytesAcked,
      deliveryRate: half.deliveryRate,
      sourceLimited: half.sourceLimited,
      windowBytes: half.windowBytes,
    };
  }

  /** One end closes by a reset, which reaches the other if the line still carries it. */
  close(end: EndName): void {
    if (!this.#open[end]) return;
    this.#open[end] = false;
    this.#halves[end].end();
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

  #tell(end: EndName): void {
    const { life, alive, delayMs } = this.line;
    if (!alive || this.#swallowed) return;
    this.#clock.at(this.#clock.nowMs + delayMs, () => {
      if (this.line.carries(life)) this.#down(end);
    });
  }

  #down(end: EndName): void {
    if (!this.#open[end]) return;
    this.#open[end] = false;
    this.#halves[end].end();
    this.#events[end].onDown(this);
  }
}
