import { workerOfKid } from '@tresse/core';
import { BugError, sentenceOf, SystemError } from '@tresse/kit';
import { bindAddress, closeFd, closeWithReset, listen, setReuseAddress, setV6Only, tcpSocket } from '@tresse/sys';

import type { EngineEvents, EnginePlace, PeerRoutes, PublishedPort, RelayEngine, RelayEngineOptions } from './api.ts';
import { EngineHost } from './engine-host.ts';
import type { FromWorker, RelayWorkerData } from './messages.ts';
import { WorkerLink } from './worker-link.ts';

/**
 * A relay's data plane: workers that share nothing. A session lives in one of them, told by its kids: `kid mod workers`. All
 * listen on the same port; the kernel spreads the connections, and a strand that came to the wrong one is handed over.
 */
class RelayHost extends EngineHost<RelayWorkerData> implements RelayEngine {
  readonly ready: Promise<void>;
  protected readonly links: readonly WorkerLink<RelayWorkerData>[];
  /** Which worker each peer's session is in. */
  readonly #places = new Map<string, number>();
  #own: readonly string[] | undefined;
  #published: readonly PublishedPort[] = [];
  #routes: readonly PeerRoutes[] = [];

  constructor(options: RelayEngineOptions, events: EngineEvents) {
    super(events);
    const onReady = (): void => {
      if (this.#own) this.setOwnAddresses(this.#own);
      if (this.#routes.length > 0) this.setRoutes(this.#routes);
      void this.#publish();
    };
    const worker = new URL('./worker/relay-worker.ts', import.meta.url);
    const workers = options.workers ?? 1;
    const fault = workers > 1 ? portFault(options.listen) : undefined;
    const count = fault === undefined ? workers : 0;
    this.links = Array.from(
      { length: count },
      (_, index) => new WorkerLink(worker, { ...options, workers, index }, this.linkEvents(onReady)),
    );
    this.ready = fault ? Promise.reject(fault) : allReady(this.links);
    this.ready.catch(() => {});
  }

  place(peer: string): EnginePlace | undefined {
    const { links } = this;
    let index = this.#places.get(peer);
    if (index === undefined || links[index]?.dead === true) {
      index = this.#emptiest();
      this.#places.set(peer, index);
      // Its ports go where it goes.
      if (this.#published.some((one) => one.peer === peer)) void this.#publish();
    }
    const incarnation = links[index]?.incarnation;
    if (incarnation === undefined) return undefined;
    return {
      worker: index,
      incarnation,
      generation: this.generation,
      fits: (kid) => workerOfKid(kid, 0, links.length) === index,
    };
  }

  setOwnAddresses(addresses: readonly string[]): void {
    this.#own = addresses;
    for (const link of this.links) link.post({ type: 'own', addresses });
  }

  setRoutes(routes: readonly PeerRoutes[]): void {
    this.#routes = routes;
    for (const link of this.links) link.post({ type: 'routes', routes });
  }

  async setPublished(ports: readonly PublishedPort[]): Promise<void> {
    this.#published = ports;
    for (const { peer } of ports) this.place(peer);
    await this.#publish();
  }

  /** Each worker hears of its own boxes' ports. One that does not run looks at none. */
  async #publish(): Promise<void> {
    await Promise.allSettled(
      this.links.map((link, index) => {
        const ports = this.#published.filter(({ peer }) => this.#places.get(peer) === index);
        return link.call((call) => ({ type: 'published', call, ports }));
      }),
    );
  }

  protected linkOf(kid: Uint8Array): WorkerLink<RelayWorkerData> {
    return this.#link(workerOfKid(kid, 0, this.links.length));
  }

  protected override onMessage(message: FromWorker): void {
    if (message.type !== 'strand') super.onMessage(message);
    else if (!this.#link(message.worker).give(message.fd, { type: 'strand', fd: message.fd })) {
      closeWithReset(message.fd);
    }
  }

  #link(index: number): WorkerLink<RelayWorkerData> {
    const link = this.links[index] ?? this.links[0];
    if (!link) throw new BugError('WORKER_NUMBER', `no worker ${index}`);
    return link;
  }

  #emptiest(): number {
    const counts = this.links.map((link) => (link.dead ? Infinity : 0));
    for (const index of this.#places.values()) counts[index] = (counts[index] ?? 0) + 1;
    return counts.indexOf(Math.min(...counts));
  }
}

async function allReady(links: readonly WorkerLink<RelayWorkerData>[]): Promise<void> {
  await Promise.all(links.map((link) => link.ready));
}

/**
 * Why a port is not free, or undefined. The workers share theirs, and so would bind it beside another relay that shares its
 * own too.
 */
function portFault(addresses: RelayEngineOptions['listen']): SystemError | undefined {
  for (const { address, port } of addresses) {
    const six = address.includes(':');
    const fd = tcpSocket(six ? 6 : 4);
    try {
      setReuseAddress(fd);
      if (six) setV6Only(fd, address !== '::');
      bindAddress(fd, address, port);
      listen(fd, 1);
    } catch (error) {
      return new SystemError('ENGINE_START', sentenceOf(error), error);
    } finally {
      closeFd(fd);
    }
  }
  return undefined;
}

/** Starts the relay's data plane in worker threads. Throws ErrnoError when no worker can be made. */
export function startRelayEngine(options: RelayEngineOptions, events: EngineEvents): RelayEngine {
  return new RelayHost(options, events);
}
