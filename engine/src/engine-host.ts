import { limits } from '@tresse/core';
import { PeerError, SystemError } from '@tresse/kit';
import { WorkerHost } from '@tresse/sys';

import type {
  BoxEngine,
  BoxEngineOptions,
  BoxPath,
  EngineEvents,
  EngineStatus,
  KidInstall,
  PeerLimits,
  RelayEngine,
  RelayEngineOptions,
} from './api.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** Frame types this build knows; goes into the hello. */
const knownFrames = 12;

/** What this side tells the other in the hello. */
export const localLimits: PeerLimits = {
  streams: limits.streamsMax,
  initialCredit: limits.creditFloorBytes,
  frames: Array.from({ length: knownFrames }, (_, type) => type),
};

/** The main thread's handle of an engine: its worker, and the calls that wait for an answer. */
class EngineHost<Options> implements BoxEngine {
  readonly ready: Promise<void>;
  readonly #host: WorkerHost<ToWorker, FromWorker, Options>;
  readonly #events: EngineEvents;
  readonly #calls = new Map<number, { resolve: (message: FromWorker) => void; reject: (error: unknown) => void }>();
  /** How often each peer was ended. Kept here, for it must outlive a worker. */
  readonly #revisions = new Map<string, number>();
  #nextCall = 1;
  #generation = 0;
  #paths: readonly BoxPath[] | undefined;
  #settleReady: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  constructor(worker: URL, options: Options, events: EngineEvents) {
    this.#events = events;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // Whoever waits for it hears of it; an owner that does not wait must not die of it.
    this.ready.catch(() => {});
    this.#host = new WorkerHost<ToWorker, FromWorker, Options>(worker, options, {
      onMessage: (message) => this.#onMessage(message),
      onFault: (fault) => {
        this.#failCalls('the data plane was restarted');
        if (fault.restartInMs === undefined) {
          this.#settleReady?.reject(new SystemError('ENGINE_DEAD', 'the data plane failed too often and was given up'));
        }
        events.onFault(fault.stack, fault.count, fault.restartInMs);
      },
    });
  }

  async installKid(install: KidInstall): Promise<void> {
    // The worker takes messages in order: what is let through here was agreed before any later end of the peer.
    if ((install.revision ?? 0) !== this.revisionOf(install.peer)) {
      throw new PeerError('PEER_ENDED', 'the peer was turned out while its handshake was under way');
    }
    await this.#call((call) => ({ type: 'kid', call, install }));
  }

  endPeer(peer: string): void {
    this.#revisions.set(peer, this.revisionOf(peer) + 1);
    this.#host.post({ type: 'end-peer', peer });
  }

  revisionOf(peer: string): number {
    return this.#revisions.get(peer) ?? 0;
  }

  setPaths(paths: readonly BoxPath[]): void {
    this.#paths = paths;
    this.#host.post({ type: 'paths', paths });
  }

  tellPeers(bytes: Uint8Array): void {
    this.#host.post({ type: 'message', bytes });
  }

  endSession(sessionKey: string): void {
    this.#host.post({ type: 'end', sessionKey });
  }

  async status(): Promise<EngineStatus> {
    const answer = await this.#call((call) => ({ type: 'status', call }));
    if (answer.type !== 'status') throw new SystemError('ENGINE_ANSWER', 'the data plane gave no status');
    return answer.status;
  }

  async stop(): Promise<void> {
    await this.#host.stop();
    this.#failCalls('the data plane has ended');
    this.#settleReady?.reject(new SystemError('ENGINE_GONE', 'the data plane has ended'));
  }

  #call(message: (call: number) => ToWorker): Promise<FromWorker> {
    const call = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      if (this.#host.post(message(call))) return;
      this.#calls.delete(call);
      reject(new SystemError('ENGINE_GONE', 'the data plane is not running'));
    });
  }

  #failCalls(reason: string): void {
    for (const { reject } of this.#calls.values()) reject(new SystemError('ENGINE_GONE', reason));
    this.#calls.clear();
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#generation++;
        if (this.#paths) this.#host.post({ type: 'paths', paths: this.#paths });
        this.#settleReady?.resolve();
        this.#events.onReady(message.incarnation, this.#generation);
        break;
      case 'unready':
        this.#settleReady?.reject(new SystemError('ENGINE_START', message.reason));
        break;
      case 'done':
      case 'status':
        this.#calls.get(message.call)?.resolve(message);
        this.#calls.delete(message.call);
        break;
      case 'log':
        this.#events.onLog(message.level, message.text, message.fields);
        break;
      case 'tls':
        this.#events.onTlsConnection?.(message.fd, { address: message.address, port: message.port });
        break;
      case 'message':
        this.#events.onPeerMessage?.(message.sessionKey, message.bytes);
        break;
      case 'handshake':
        this.#events.onHandshakeWanted?.(message.reason);
        break;
      case 'network':
        this.#events.onNetworkChanged?.();
        break;
    }
  }
}

/** Starts the box's data plane in a worker thread. Throws ErrnoError when no worker can be made. */
export function startBoxEngine(options: BoxEngineOptions, events: EngineEvents): BoxEngine {
  return new EngineHost(new URL('./worker/box-worker.ts', import.meta.url), options, events);
}

/** Starts the relay's data plane in a worker thread. Throws ErrnoError when no worker can be made. */
export function startRelayEngine(options: RelayEngineOptions, events: EngineEvents): RelayEngine {
  return new EngineHost(new URL('./worker/relay-worker.ts', import.meta.url), options, events);
}
