import { specialNetworks } from '@tresse/core';
import { type Log, Network, readFacts, type StateDirectory, Tun } from '@tresse/daemon';
import { type InnerAddresses, openPacketSockets, type PacketPort } from '@tresse/engine';
import { sentenceOf, TresseError } from '@tresse/kit';
import {
  readWay,
  relayForwardsIpv6,
  type RelayPorts,
  type RelayRoute,
  relayState,
  relaySysctlsWanted,
  relayTunnelPrefix,
} from '@tresse/plan';
import type { RelayConfig, TunnelMessage } from '@tresse/schema';
import { closeFd, CommandError, ip } from '@tresse/sys';

import { InnerNetwork } from './inner-network.ts';

/** What else packets may do at this relay. */
export interface TunnelWishes {
  /** What is published. */
  ports(): RelayPorts;
  /** Routes of boxes that are there. */
  routes(): RelayRoute[];
  /** Networks behind this relay that routes name. */
  networks(): readonly string[];
}

/** An inner packet of so many octets and all that goes around it fit into 1,500, over IPv6 too. */
const mtu = 1_413;

/**
 * The relay's end of the tunnels in the kernel: for every worker a device and UDP sockets, and the rules by which packets go out and their answers
 * come back.
 */
export class Tunnels {
  readonly #log: Log;
  readonly #config: Pick<RelayConfig, 'allowPrivate'>;
  readonly #network: Network;
  readonly #inner: InnerNetwork;
  #devices: Tun[] = [];
  #sockets: number[][] = [];
  #ipv6 = false;
  #fault: string | undefined;
  readonly #wishes: TunnelWishes;

  constructor(
    config: Pick<RelayConfig, 'allowPrivate'>,
    pin: string,
    directory: StateDirectory,
    log: Log,
    wishes: TunnelWishes,
  ) {
    this.#wishes = wishes;
    this.#config = config;
    this.#log = log;
    this.#network = new Network(directory, log);
    this.#inner = new InnerNetwork(pin);
  }

  /** Makes and sets up everything for so many workers; where that is not possible there are no tunnels, and {@link warning} says why. */
  async open(listen: readonly { address: string; port: number }[], workers: number): Promise<void> {
    try {
      this.#sockets = openPacketSockets(listen, workers);
      for (let i = 0; i < workers; i++) this.#devices.push(Tun.open(`${relayTunnelPrefix}${i}`));
      await this.refresh();
      await Promise.all(
        this.#devices.map((device, i) => device.configure({ addresses: this.#inner.own(i, this.#ipv6), mtu })),
      );
    } catch (error) {
      // Whatever it is, TCP goes on without it.
      if (!(error instanceof TresseError)) throw error;
      this.#fault = sentenceOf(error);
      this.#log.warn('there are no tunnels: boxes send UDP and the rest directly', { reason: this.#fault });
      await this.close();
    }
  }

  /** What the engine needs of it; undefined where there is none. */
  get ports(): PacketPort[] | undefined {
    if (this.#devices.length === 0) return undefined;
    return this.#devices.map(({ fd }, i) => ({ tunFd: fd, udpFds: this.#sockets[i] ?? [] }));
  }

  /** Why there are no tunnels, as a sentence. */
  get warning(): string | undefined {
    return this.#fault === undefined
      ? undefined
      : `boxes send UDP and everything else that is no TCP directly: ${this.#fault}`;
  }

  /** What a box is called inside; undefined where there is no tunnel for it. */
  addressesOf(pin: string, worker: number): InnerAddresses | undefined {
    return this.#devices.length === 0 ? undefined : this.#inner.of(pin, worker, this.#ipv6);
  }

  /** Brings the kernel to what the machine's network is like now. Throws CommandError. */
  async refresh(): Promise<void> {
    const behind = await interfacesTo(this.#wishes.networks());
    const names = relaySysctlsWanted(await readFacts(), behind);
    this.#ipv6 = await this.#network.refresh(names, (facts, sysctls) => {
      const desired = relayState({
        tunnels: this.#devices.map(({ name }) => name),
        facts,
        sysctls,
        special: specialNetworks,
        allowed: this.#config.allowPrivate,
        ports: this.#wishes.ports(),
        routes: this.#wishes.routes(),
        behind,
      });
      return { desired, result: relayForwardsIpv6(facts, sysctls) };
    });
  }

  /** Takes everything back. Throws SystemError `NETWORK_LEFT`. */
  async close(): Promise<void> {
    const devices = this.#devices;
    this.#devices = [];
    for (const device of devices) device.close();
    for (const fd of this.#sockets.flat()) closeFd(fd);
    this.#sockets = [];
    if (devices.length > 0) await this.#network.tearDown();
  }
}

/** What a relay tells a box of its place in the tunnel. */
export function tunnelMessage(inner: InnerAddresses): TunnelMessage {
  return { kind: 'tunnel', ...inner, mtu };
}

/** The interfaces by which networks are reached by routes of their own; the way to the internet is none. */
async function interfacesTo(networks: readonly string[]): Promise<string[]> {
  const found = await Promise.all(networks.map((network) => interfaceTo(network)));
  return [...new Set(found.flatMap((one) => one ?? []))].toSorted();
}

async function interfaceTo(network: string): Promise<string | undefined> {
  const [address = ''] = network.split('/');
  const family = address.includes(':') ? '-6' : '-4';
  try {
    return readWay(await ip(family, 'route', 'get', 'fibmatch', address));
  } catch (error) {
    // No route leads there.
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}
