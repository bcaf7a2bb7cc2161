/** A box's and a relay's session in one loop, joined by real connections over loopback. */
import { limits, ResetReason, type Stream, StrandRole } from '@tresse/core';
import { FreeListPool } from '@tresse/kit';
import { bestAead, EventLoop, nativeSlab, queueMemory } from '@tresse/sys';

import { egressConnect } from '../src/worker/egress.ts';
import { type DriverEvents, SessionDriver } from '../src/worker/session-driver.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { StrandSocket } from '../src/worker/strand-socket.ts';
import type { Connect, OnStreamEnd } from '../src/worker/stream-sockets.ts';
import { connectedPair, finish, Peer } from './peer.ts';

const aead = bestAead('aes-256-gcm');
const refuse: Connect = () => ({ refused: ResetReason.forbidden });

export class Braid {
  readonly loop: EventLoop = new EventLoop();
  readonly pool: FreeListPool = new FreeListPool(nativeSlab, 0);
  readonly boxPool: FreeListPool = new FreeListPool(nativeSlab, 0);
  readonly box: SessionDriver;
  readonly relay: SessionDriver;
  readonly closed: string[] = [];
  readonly #pairs: { path: number; box: StrandSocket; relay: StrandSocket }[] = [];
  readonly #clients: Peer[] = [];
  /** The box's ends of its LAN hosts' connections. */
  readonly #lanEnds: number[] = [];
  #nextStrand = 1;

  /** `toLan` makes the box's connections for streams the relay opens, of whose end `onRelayEnd` hears. */
  constructor(
    connect: Connect = egressConnect({ listen: [], allowPrivate: ['127.0.0.0/8'] }),
    toLan: Connect = refuse,
    onRelayEnd: OnStreamEnd = (): void => {},
  ) {
    this.box = new SessionDriver('box', 'relay', this.loop, this.boxPool, toLan, () => {}, this.#events('box'));
    const events = { ...this.#events('relay'), onStreamEnd: onRelayEnd };
    this.relay = new SessionDriver('relay', 'box', this.loop, this.pool, connect, () => {}, events);
    this.loop.afterBatch(() => {
      this.box.afterBatch();
      this.relay.afterBatch();
    });
  }

  /** A line with a quick strand and two bulk ones. */
  addPath(path: number): this {
    for (const role of [StrandRole.quick, StrandRole.bulk, StrandRole.bulk]) this.#addStrand(path, role);
    return this;
  }

  /** Resets all connections of a line. */
  cutPath(path: number): void {
    for (const pair of this.#pairs) if (pair.path === path) pair.box.close('cut');
  }

  /** A LAN host's connection to a port of this machine, intercepted. */
  dial(port: number, receiveBufferBytes = 0): { client: Peer; stream: Stream } {
    const { near, far } = connectedPair(this.loop, receiveBufferBytes, true);
    const client = new Peer(this.loop, near);
    this.#clients.push(client);
    this.#lanEnds.push(far);
    const target = { address: Uint8Array.of(127, 0, 0, 1), port };
    const stream = this.box.session.openStream(target, [], this.loop.nowMs);
    this.box.sockets.adopt(stream, far);
    this.box.touch();
    return { client, stream };
  }

  /** What the box holds for its streams, bytes: slabs, and what the kernel's queues towards LAN hosts cost. */
  get boxMemory(): number {
    return this.#lanEnds.reduce((sum, fd) => sum + Math.max(0, queueMemory(fd)), this.boxPool.usedBytes);
  }

  end(): void {
    for (const client of this.#clients) client.close();
    this.box.end('test ends');
    this.relay.end('test ends');
    finish(this.loop);
  }

  #addStrand(path: number, role: StrandRole): void {
    const { near, far } = connectedPair(this.loop);
    const secret = new Uint8Array(32).fill(7);
    const salt = new Uint8Array(16).fill(this.#nextStrand);
    const id = this.#nextStrand++;
    const mine = strandKeys(aead, secret, salt);
    const theirs = strandKeys(aead, secret, salt);
    const boxKeys = { seal: mine.up, sealCounter: 1, open: mine.down, openCounter: 0 };
    const relayKeys = { seal: theirs.down, sealCounter: 0, open: theirs.up, openCounter: 1 };
    const box = new StrandSocket(near, this.loop, aead, boxKeys, this.box);
    const relay = new StrandSocket(far, this.loop, aead, relayKeys, this.relay);
    this.#pairs.push({ path, box, relay });
    this.relay.addStrand(relay, id, path, role);
    this.box.addStrand(box, id, path, role);
    box.watch();
    relay.watch();
  }

  #events(side: string): DriverEvents {
    return {
      onPath: () => {},
      onAnswered: () => {},
      onStrandClosed: (_strand, _socket, reason) => this.closed.push(`${side}: ${reason}`),
      onOver: () => {},
    };
  }
}

/** The most one stream may hold in both engines, bytes: what waits for its reader, and what is kept until acknowledged. */
export const sessionMemoryMax: number = limits.creditWindowBytesMax + limits.sendBudgetBytes + 2 * 1_048_576;
