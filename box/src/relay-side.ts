import type { LanAccess } from '@tresse/engine';
import {
  type Behind,
  behindOf,
  mayPublish,
  type Publishable,
  publishable,
  type PublishedUdp,
  type ResolvedUplink,
} from '@tresse/plan';
import {
  type BoxConfig,
  lanHosts,
  type PeerMessage,
  type PublishedMessage,
  type PublishedPortStatus,
  type RouteStatus,
} from '@tresse/schema';

type Facts = Parameters<typeof publishable>[1];

type Config = Pick<BoxConfig, 'publishable' | 'reachable' | 'lan'>;

/** What the relay's side may have of the LAN, and the LAN of it: published ports, and routes. */
export class RelaySide {
  readonly #config: Config;
  #access: Publishable = { networks: [], except: [] };
  #ports: PublishedMessage['ports'] = [];
  /** Networks behind the relay, as it offers them, and those of them that are taken. */
  #offered: readonly string[] = [];
  #taken: readonly string[] = [];

  constructor(config: Config) {
    this.#config = config;
  }

  /** What the machine is like now. Returns whether other hosts may be published. */
  look(facts: Facts, uplinks: readonly ResolvedUplink[]): boolean {
    this.#taken = behindOf(this.#offered, facts);
    const access = publishable(this.#config, facts, uplinks);
    if (JSON.stringify(access) === JSON.stringify(this.#access)) return false;
    this.#access = access;
    return true;
  }

  /** Where streams of the relay may lead. */
  get access(): LanAccess {
    return this.#access;
  }

  /** What the relay is told of it. */
  get message(): PeerMessage {
    const networks = this.#access.networks.map(({ network }) => withLength(network));
    return { kind: 'lan', networks, reachable: this.#config.reachable };
  }

  /** Another session begins: the relay says anew what it publishes. */
  begin(): void {
    this.#ports = [];
    this.#offered = [];
  }

  /** The relay says what it publishes. */
  notePorts(message: PublishedMessage): void {
    this.#ports = message.ports;
  }

  /** The relay says what is behind it. */
  noteRoutes(networks: readonly string[]): void {
    this.#offered = networks;
  }

  /** What goes between the LAN and networks behind the relay. */
  get behind(): Behind {
    return { networks: this.#taken, reachable: this.#config.reachable.toSorted() };
  }

  /** The ports of UDP, of each family, that lead to hosts which may be published. */
  get udp(): PublishedUdp[] {
    return this.#ports
      .filter(({ protocol }) => protocol === 'udp')
      .flatMap(({ port, to, clients }) => {
        const hosts = lanHosts(to, port);
        return ([4, 6] as const).flatMap((family) => {
          const host = hosts[family];
          const hidden = clients === 'hidden';
          return host && mayPublish(this.#access, host.address)
            ? [{ family, port, host, ...(hidden && { hidden }) }]
            : [];
        });
      });
  }

  /** The routes as they stand here. */
  routes(reached: boolean): RouteStatus[] {
    if (this.#offered.length === 0) return [];
    const own = this.#offered.filter((network) => !this.#taken.includes(network));
    const faults = own.map((network) => `${network} is not taken: a network of this machine lies there`);
    const networks = [...this.#taken];
    return [
      { networks, lan: this.#config.reachable, faults: reached ? faults : ['the relay is not reached', ...faults] },
    ];
  }

  /** Every port as it stands here, while the relay is reached or not. */
  status(reached: boolean): PublishedPortStatus[] {
    return this.#ports.map(({ protocol, port, to, from }) => {
      const strange = Object.values(lanHosts(to, port)).find(({ address }) => !mayPublish(this.#access, address));
      const fault = strange
        ? `${strange.address} is no host that may be published ("publishable" in box.yaml)`
        : reached
          ? undefined
          : 'the relay is not reached';
      return { protocol, port, to, from, works: fault === undefined, reason: fault ?? 'let through' };
    });
  }
}

const withLength = (network: string): string =>
  network.includes('/') ? network : `${network}/${network.includes(':') ? 128 : 32}`;
