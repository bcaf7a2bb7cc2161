import type { LanAccess } from '@tresse/engine';
import { mayPublish, type Publishable, publishable, type PublishedUdp, type ResolvedUplink } from '@tresse/plan';
import {
  type BoxConfig,
  lanHosts,
  type PeerMessage,
  type PublishedMessage,
  type PublishedPortStatus,
} from '@tresse/schema';

type Facts = Parameters<typeof publishable>[1];

/** Ports of the relay that lead to the LAN, and which of its hosts they may lead to. */
export class Published {
  readonly #config: Pick<BoxConfig, 'publishable' | 'lan'>;
  #access: Publishable = { networks: [], except: [] };
  #ports: PublishedMessage['ports'] = [];

  constructor(config: Pick<BoxConfig, 'publishable' | 'lan'>) {
    this.#config = config;
  }

  /** What the machine is like now. Returns whether other hosts may be published. */
  look(facts: Facts, uplinks: readonly ResolvedUplink[]): boolean {
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
    return { kind: 'lan', networks: this.#access.networks.map(({ network }) => withLength(network)) };
  }

  /** Another session begins: the relay says anew what it publishes. */
  begin(): void {
    this.#ports = [];
  }

  /** The relay says what it publishes. */
  note(message: PublishedMessage): void {
    this.#ports = message.ports;
  }

  /** The ports of UDP, of each family, that lead to hosts which may be published. */
  get udp(): PublishedUdp[] {
    return this.#ports
      .filter(({ protocol }) => protocol === 'udp')
      .flatMap(({ port, to }) => {
        const hosts = lanHosts(to, port);
        return ([4, 6] as const).flatMap((family) => {
          const host = hosts[family];
          return host && mayPublish(this.#access, host.address) ? [{ family, port, host }] : [];
        });
      });
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
