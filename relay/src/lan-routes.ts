import type { InnerAddresses, PeerRoutes } from '@tresse/engine';
import { type RelayRoute, relayTunnelPrefix } from '@tresse/plan';
import { type BoxRoute, ipWithin, type PeerMessage, type RouteStatus } from '@tresse/schema';

import type { BoxNames } from './publication-list.ts';

/** Where a box is, and what it told. */
interface Known {
  readonly worker: number;
  readonly inner: InnerAddresses | undefined;
}

/** Routes between networks behind the relay and boxes' LANs, each as far as both sides allow it. */
export class LanRoutes {
  readonly #configured: readonly BoxRoute[];
  readonly #names: Pick<BoxNames, 'pinOf'>;
  readonly #places = new Map<string, Known>();
  /** Networks of LANs that boxes let be reached. */
  readonly #reachable = new Map<string, readonly string[]>();

  constructor(configured: readonly BoxRoute[], names: Pick<BoxNames, 'pinOf'>) {
    this.#configured = configured;
    this.#names = names;
  }

  /** A box is there. Returns whether kernel and engine are to be told anew. */
  noteArrival(pin: string, worker: number, inner: InnerAddresses | undefined): boolean {
    const before = this.#places.get(pin);
    this.#places.set(pin, { worker, inner });
    const isSame =
      before?.worker === worker && before.inner?.ipv4 === inner?.ipv4 && before.inner?.ipv6 === inner?.ipv6;
    return !isSame && this.#of(pin) !== undefined;
  }

  /** A box tells what of its LAN may be reached. Returns whether kernel and engine are to be told anew. */
  noteReachable(pin: string, networks: readonly string[]): boolean {
    const before = JSON.stringify(this.#reachable.get(pin) ?? []);
    this.#reachable.set(pin, networks);
    return JSON.stringify(networks) !== before && this.#of(pin) !== undefined;
  }

  /** A box is out. */
  forget(pin: string): void {
    this.#places.delete(pin);
    this.#reachable.delete(pin);
  }

  /** Every network behind the relay that a route names. */
  get networks(): string[] {
    return [...new Set(this.#configured.flatMap((one) => one.networks))];
  }

  /** What the engine goes by. */
  forEngine(): PeerRoutes[] {
    return this.#configured.flatMap((one) => {
      const peer = this.#names.pinOf(one.box);
      return peer === undefined ? [] : [{ peer, networks: one.networks, lan: this.#lanOf(peer, one) }];
    });
  }

  /** What the kernel goes by: the routes of boxes that were here. */
  forKernel(): RelayRoute[] {
    return this.#configured.flatMap((one) => {
      const pin = this.#names.pinOf(one.box) ?? '';
      const place = this.#places.get(pin);
      if (!place?.inner) return [];
      const { ipv4, ipv6 } = place.inner;
      return [
        {
          device: `${relayTunnelPrefix}${place.worker}`,
          inner: { 4: ipv4, ...(ipv6 !== undefined && { 6: ipv6 }) },
          networks: one.networks,
          lan: this.#lanOf(pin, one),
        },
      ];
    });
  }

  /** What a box is to hear when its session begins. */
  messageFor(pin: string): PeerMessage {
    return { kind: 'routes', networks: this.#of(pin)?.networks ?? [] };
  }

  /** Every route as it stands; `connected` are the pins of boxes that are there. */
  status(connected: ReadonlySet<string>): RouteStatus[] {
    return this.#configured.map((one) => {
      const pin = this.#names.pinOf(one.box);
      const lan = pin === undefined ? [] : this.#lanOf(pin, one);
      const strange = one.lan.filter((network) => !lan.includes(network));
      const faults =
        pin === undefined
          ? [`no box is called "${one.box}"`]
          : !connected.has(pin)
            ? [`the box ${one.box} is not connected`]
            : strange.map(
                (network) => `${network} is not reached: "reachable" in box.yaml of ${one.box} does not name it`,
              );
      return { box: one.box, networks: one.networks, lan, faults };
    });
  }

  #of(pin: string): BoxRoute | undefined {
    return this.#configured.find((one) => this.#names.pinOf(one.box) === pin);
  }

  #lanOf(pin: string, { lan }: BoxRoute): string[] {
    const reachable = this.#reachable.get(pin) ?? [];
    return lan.filter((network) => reachable.some((other) => isInside(network, other)));
  }
}

/** Whether a network is another one or a part of it. */
function isInside(network: string, other: string): boolean {
  return ipWithin(network.split('/')[0] ?? '', other) && bitsOf(network) >= bitsOf(other);
}

const bitsOf = (network: string): number => Number(network.split('/')[1]);
