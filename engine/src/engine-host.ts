import { limits } from '@tresse/core';
import { PeerError, SystemError } from '@tresse/kit';

import type {
  BoxEngine,
  BoxEngineOptions,
  BoxPath,
  DirectSources,
  Engine,
  EngineEvents,
  EngineStatus,
  KidInstall,
  LanAccess,
  PeerLimits,
} from './api.ts';
import type { FromWorker } from './messages.ts';
import { type LinkEvents, WorkerLink } from './worker-link.ts';

/** Frame types this build knows; goes into the hello. */
const knownFrames = 12;

/** What this side tells the other in the hello. */
export const localLimits: PeerLimits = {
  streams: limits.streamsMax,
  initialCredit: limits.creditFloorBytes,
  opensPerSecond: limits.opensPerSecond,
  frames: Array.from({ length: knownFrames }, (_, type) => type),
};

/** What both kinds of engine have in common on the main thread: one worker, or several that share nothing. */
export abstract class EngineHost<Data> implements Engine {
  abstract readonly ready: Promise<void>;
  protected readonly events: EngineEvents;
  /** How often each peer was ended. Kept here, for it must outlive a worker. */
  readonly #revisions = new Map<string, number>();
  #generation = 0;

  constructor(events: EngineEvents) {
    this.events = events;
  }

  protected abstract readonly links: readonly WorkerLink<Data>[];

  /** The worker for a key. */
  protected abstract linkOf(kid: Uint8Array): WorkerLink<Data>;

  /** How often a worker began. */
  get generation(): number {
    return this.#generation;
  }

  async installKid(install: KidInstall): Promise<void> {
    // A worker takes messages in order: what is let through here was agreed before any later end of the peer.
    if ((install.revision ?? 0) !== this.revisionOf(install.peer)) {
      throw new PeerError('PEER_ENDED', 'the peer was turned out while its handshake was under way');
    }
    await this.linkOf(install.kid).call((call) => ({ type: 'kid', call, install }));
  }

  endPeer(peer: string): void {
    this.#revisions.set(peer, this.revisionOf(peer) + 1);
    for (const link of this.links) link.post({ type: 'end-peer', peer });
  }

  revisionOf(peer: string): number {
    return this.#revisions.get(peer) ?? 0;
  }

  tellPeers(bytes: Uint8Array, sessionKey?: string): void {
    for (const link of this.links) link.post({ type: 'message', bytes, sessionKey });
  }

  endSession(sessionKey: string, onlyIdle = false): void {
    for (const link of this.links) link.post({ type: 'end', sessionKey, onlyIdle });
  }

  /** Of all workers together; those that are starting have nothing to tell. */
  async status(): Promise<EngineStatus> {
    const answers = await Promise.allSettled(this.links.map((link) => statusOf(link)));
    const parts = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (parts.length === 0) throw answers.find((one) => one.status === 'rejected')?.reason;
    const counters: Record<string, number> = {};
    for (const [name, count] of parts.flatMap((part) => Object.entries(part.counters))) {
      counters[name] = (counters[name] ?? 0) + count;
    }
    const published = parts.flatMap((part) => part.published ?? []);
    return { sessions: parts.flatMap((part) => part.sessions), counters, published };
  }

  async stop(): Promise<void> {
    await Promise.all(this.links.map((link) => link.stop()));
  }

  /** What a worker of this engine tells: most of it is passed on. */
  protected linkEvents(onReady: () => void = (): void => {}): LinkEvents {
    return {
      onReady: (incarnation) => {
        this.#generation++;
        onReady();
        this.events.onReady(incarnation, this.#generation);
      },
      onMessage: (message) => this.onMessage(message),
      onFault: (stack, count, restartInMs) => this.events.onFault(stack, count, restartInMs),
    };
  }

  protected onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'log':
        this.events.onLog(message.level, message.text, message.fields);
        break;
      case 'tls':
        this.events.onTlsConnection?.(message.fd, { address: message.address, port: message.port });
        break;
      case 'message':
        this.events.onPeerMessage?.(message.sessionKey, message.bytes);
        break;
      case 'handshake':
        this.events.onHandshakeWanted?.(message.reason);
        break;
      case 'reach':
        this.events.onReach?.(message.reached, message.evidence);
        break;
      case 'packets':
        this.events.onPacketsCarried?.(message.carried);
        break;
      case 'network':
        this.events.onNetworkChanged?.();
        break;
      case 'ready':
      case 'unready':
      case 'done':
      case 'status':
      case 'strand':
        // The link's own, and a relay's.
        break;
    }
  }
}

async function statusOf<Data>(link: WorkerLink<Data>): Promise<EngineStatus> {
  const answer = await link.call((call) => ({ type: 'status', call }));
  if (answer.type !== 'status') throw new SystemError('ENGINE_ANSWER', 'the data plane gave no status');
  return answer.status;
}

class BoxHost extends EngineHost<BoxEngineOptions> implements BoxEngine {
  readonly ready: Promise<void>;
  protected readonly links: readonly WorkerLink<BoxEngineOptions>[];
  readonly #link: WorkerLink<BoxEngineOptions>;
  #paths: readonly BoxPath[] | undefined;
  #direct: DirectSources | undefined;
  #lan: LanAccess | undefined;

  constructor(options: BoxEngineOptions, events: EngineEvents) {
    super(events);
    const worker = new URL('./worker/box-worker.ts', import.meta.url);
    const onReady = (): void => {
      if (this.#paths) this.#link.post({ type: 'paths', paths: this.#paths });
      if (this.#direct) this.#link.post({ type: 'direct', sources: this.#direct });
      if (this.#lan) this.#link.post({ type: 'lan', access: this.#lan });
    };
    this.#link = new WorkerLink(worker, options, this.linkEvents(onReady));
    this.links = [this.#link];
    this.ready = this.#link.ready;
  }

  setPaths(paths: readonly BoxPath[]): void {
    this.#paths = paths;
    this.#link.post({ type: 'paths', paths });
  }

  setDirect(sources: DirectSources): void {
    this.#direct = sources;
    this.#link.post({ type: 'direct', sources });
  }

  setLan(access: LanAccess): void {
    this.#lan = access;
    this.#link.post({ type: 'lan', access });
  }

  protected linkOf(): WorkerLink<BoxEngineOptions> {
    return this.#link;
  }
}

/** Starts the box's data plane in a worker thread. Throws ErrnoError when no worker can be made. */
export function startBoxEngine(options: BoxEngineOptions, events: EngineEvents): BoxEngine {
  return new BoxHost(options, events);
}
