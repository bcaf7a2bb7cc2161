/**
 * Public ports of a relay that lead to hosts of a box's LAN: every connection becomes a stream that the relay opens. Where the box is away, the client may not come in
 * or too much is open already it is reset at once.
 */
import { limits, OpenAllowance, type Prefix, ResetReason, type Stream, within } from '@tresse/core';
import { closeWithReset, ErrnoError, type EventLoop, peerName, setLingerReset, type SocketAddress } from '@tresse/sys';

import type { LanTargets, PublishedPort, PublishedStatus } from '../api.ts';
import { Acceptor } from './acceptor.ts';
import { hostNumber } from './lan-host.ts';
import type { SessionDriver } from './session-driver.ts';
import { addressBytes, prefixOf, targetOf } from './target.ts';

/**
 * Of a box's streams strangers may have so many, and open so many in a second: the household needs the others.
 */
const streamsMax: number = limits.streamsMax / 4;
const opensPerSecond: number = limits.opensPerSecond / 4;

/** Reasons that say why the box did not connect. */
const failureWords: Readonly<Record<number, string>> = {
  [ResetReason.refused]: 'the host refuses connections to this port',
  [ResetReason.unreachable]: 'the host cannot be reached',
  [ResetReason.timeout]: 'the host does not answer (is the box its gateway?)',
  [ResetReason.forbidden]: 'the box does not let this host be published',
};

/** Where a port's connections go. */
export interface PortSession {
  readonly driver: SessionDriver;
  /** What the box takes, as its hello told. */
  readonly streamsMax: number;
}

interface OpenPort {
  readonly port: PublishedPort;
  readonly from: readonly Prefix[];
  readonly acceptors: readonly Acceptor[];
  readonly counts: { accepted: number; refused: number; failed: number };
  /** Why the box could not connect, the last time it was tried; undefined where it could. */
  failure: string | undefined;
}

/** What is counted of a stream's port. */
interface Visit {
  readonly open: OpenPort;
  readonly peer: string;
}

export class PublishedPorts {
  readonly #loop: EventLoop;
  readonly #sessionOf: (peer: string) => PortSession | undefined;
  readonly #ports = new Map<string, OpenPort>();
  readonly #visits = new Map<Stream, Visit>();
  readonly #allowances = new Map<string, OpenAllowance>();

  /** `sessionOf` finds the session of a box that is there. */
  constructor(loop: EventLoop, sessionOf: (peer: string) => PortSession | undefined) {
    this.#loop = loop;
    this.#sessionOf = sessionOf;
  }

  /** These ports and no others: what is not among them is not touched any more when this returns. Streams go on. */
  set(ports: readonly PublishedPort[]): void {
    const wanted = new Map(ports.map((port) => [JSON.stringify(port), port]));
    for (const [key, { acceptors }] of this.#ports) {
      if (wanted.has(key)) continue;
      for (const acceptor of acceptors) acceptor.close();
      this.#ports.delete(key);
    }
    for (const [key, port] of wanted) if (!this.#ports.has(key)) this.#ports.set(key, this.#open(port));
  }

  /** A stream is over: where the box has reset it before its first byte, the reason says why. */
  noteEnd(stream: Stream, reason: ResetReason | undefined): void {
    const visit = this.#visits.get(stream);
    if (!visit) return;
    this.#visits.delete(stream);
    const { open } = visit;
    if (stream.receive.next > 0) open.failure = undefined;
    else if (reason !== undefined && failureWords[reason] !== undefined) {
      open.counts.failed++;
      open.failure = failureWords[reason];
    }
  }

  status(): PublishedStatus[] {
    const streams = new Map<OpenPort, number>();
    for (const { open } of this.#visits.values()) streams.set(open, (streams.get(open) ?? 0) + 1);
    return [...this.#ports.values()].map((open) => {
      const { port, counts, failure } = open;
      const figures = { port: port.port, streams: streams.get(open) ?? 0 };
      return Object.assign(figures, counts, failure !== undefined && { failure });
    });
  }

  #open(port: PublishedPort): OpenPort {
    const open: OpenPort = {
      port,
      from: port.from.map((one) => prefixOf(one)),
      acceptors: port.fds.map((fd) => new Acceptor(fd, this.#loop, (accepted) => this.#accept(open, accepted))),
      counts: { accepted: 0, refused: 0, failed: 0 },
      failure: undefined,
    };
    return open;
  }

  #accept(open: OpenPort, fd: number): void {
    // From here on a crash is a reset to the client, never an end in order.
    setLingerReset(fd, true);
    const client = peerOf(fd);
    const session = client && mayCome(open.from, client.address) ? this.#room(open.port.peer) : undefined;
    if (!client || !session) {
      open.counts.refused++;
      closeWithReset(fd);
      return;
    }
    open.counts.accepted++;
    const target = targetFor(open.port.targets, client.address.includes(':') ? 6 : 4);
    const { driver } = session;
    const whom = open.port.showClients === true ? { client: targetOf(client) } : {};
    const hints = { host: hostNumber(client.address), ...whom };
    const stream = driver.session.openStream(targetOf(target), [], this.#loop.nowMs, hints);
    this.#visits.set(stream, { open, peer: open.port.peer });
    driver.sockets.adopt(stream, fd);
    driver.touch();
  }

  /** The session of a box, where it can take one more. */
  #room(peer: string): PortSession | undefined {
    const found = this.#sessionOf(peer);
    if (!found || found.driver.session.streams.size >= found.streamsMax) return undefined;
    const allowance = this.#allowances.get(peer) ?? new OpenAllowance(opensPerSecond, 1, this.#loop.nowMs);
    this.#allowances.set(peer, allowance);
    if (!allowance.take(this.#loop.nowMs)) return undefined;
    let own = 0;
    for (const visit of this.#visits.values()) if (visit.peer === peer) own++;
    return own < streamsMax ? found : undefined;
  }
}

function mayCome(from: readonly Prefix[], address: string): boolean {
  const bytes = addressBytes(address);
  return from.length === 0 || from.some((prefix) => within(bytes, prefix));
}

/** A host of the other family will do: the connection is made anew. */
function targetFor(targets: LanTargets, family: 4 | 6): SocketAddress {
  return targets[family] ?? targets[family === 4 ? 6 : 4] ?? { address: '0.0.0.0', port: 0 };
}

function peerOf(fd: number): SocketAddress | undefined {
  try {
    return peerName(fd);
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}
