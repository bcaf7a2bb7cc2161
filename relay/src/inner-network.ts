import { createHash } from 'node:crypto';

import type { InnerAddresses } from '@tresse/engine';

/**
 * Inside the tunnels boxes have addresses of carriers' NAT (RFC 6598), at its end, where carriers and other VPNs seldom are, and unique local ones (RFC 4193). Each
 * worker has a network of its own: 1,022 boxes.
 */
const four = [100, 127] as const;
const prefixLength4 = 22;
const prefixLength6 = 64;
const hostsMax = 1_022;
const blocksPerWorker = 4;

/** Who has which address inside the tunnels: a box keeps its own as long as the relay runs. */
export class InnerNetwork {
  readonly #prefix: string;
  /** By worker: hosts by the boxes' pins; the relay is the first. */
  readonly #hosts = new Map<number, Map<string, number>>();

  /** A relay's own network follows from its pin: nobody else's is likely the same. */
  constructor(pin: string) {
    const digest = createHash('sha256').update(`tresse inner network ${pin}`).digest('hex');
    this.#prefix = `fd${digest.slice(0, 2)}:${digest.slice(2, 6)}:${digest.slice(6, 10)}`;
  }

  /** The relay's own addresses in a worker's network, with its length. */
  own(worker: number, ipv6: boolean): string[] {
    const { ipv4, ipv6: six } = this.#at(worker, 1);
    return [`${ipv4}/${prefixLength4}`, ...(ipv6 ? [`${six}/${prefixLength6}`] : [])];
  }

  /** The addresses of a box; undefined where the network is full. */
  of(pin: string, worker: number, ipv6: boolean): InnerAddresses | undefined {
    const hosts = this.#hosts.get(worker) ?? new Map<string, number>();
    this.#hosts.set(worker, hosts);
    const host = hosts.get(pin) ?? hosts.size + 2;
    if (host > hostsMax) return undefined;
    hosts.set(pin, host);
    const { ipv4, ipv6: six } = this.#at(worker, host);
    return ipv6 ? { ipv4, ipv6: six } : { ipv4 };
  }

  #at(worker: number, host: number): { ipv4: string; ipv6: string } {
    const block = worker * blocksPerWorker + (host >> 8);
    return {
      ipv4: `${four[0]}.${four[1]}.${block}.${host & 255}`,
      ipv6: `${this.#prefix}:${worker.toString(16)}::${host.toString(16)}`,
    };
  }
}
