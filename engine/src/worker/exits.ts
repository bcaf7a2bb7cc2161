/** Where the streams of each box leave the relay: anywhere public, to networks allowed to all, and to those its routes name. */
import type { PeerRoutes, RelayEngineOptions } from '../api.ts';
import { egressConnect } from './egress.ts';
import type { Connect } from './stream-sockets.ts';

export class Exits {
  #options: RelayEngineOptions;
  #routes: readonly PeerRoutes[] = [];
  /** For boxes without routes of their own. */
  #common: Connect;
  #own = new Map<string, Connect>();

  /** Throws UserError `PREFIX` when an allowed network is written wrongly. */
  constructor(options: RelayEngineOptions) {
    this.#options = options;
    this.#common = egressConnect(options);
  }

  /** What connects a box's streams. */
  of(peer: string): Connect {
    return this.#own.get(peer) ?? this.#common;
  }

  /** The networks behind a box. */
  lanOf(peer: string): readonly string[] {
    return this.#routes.find((one) => one.peer === peer)?.lan ?? [];
  }

  /** The relay's addresses are others now. */
  setOwn(addresses: readonly string[]): void {
    this.#options = { ...this.#options, ownAddresses: addresses };
    this.#common = egressConnect(this.#options);
    this.setRoutes(this.#routes);
  }

  /** Throws UserError `PREFIX` when a network is written wrongly. */
  setRoutes(routes: readonly PeerRoutes[]): void {
    this.#routes = routes;
    this.#own = new Map(
      routes.map(({ peer, networks }) => {
        const allowPrivate = [...this.#options.allowPrivate, ...networks];
        return [peer, egressConnect({ ...this.#options, allowPrivate })];
      }),
    );
  }
}
