import { type Family, ipFamily, ipNetwork, overlap } from '@tresse/schema';

import type { Facts } from './facts.ts';
import { isNumber, isText, list } from './json.ts';
import { tunnelInterface } from './numbers.ts';

/** Routes between the LAN and networks behind the relay. */
export interface Behind {
  /** Networks there: the LAN's packets to them go through the relay and nowhere else. */
  readonly networks: readonly string[];
  /** Of the LAN: may be reached from there. */
  readonly reachable: readonly string[];
}

export const noneBehind: Behind = { networks: [], reachable: [] };

/** Which of the networks a relay offers are taken, in an order of their own: none that this machine is in itself. */
export function behindOf(offered: readonly string[], { interfaces }: Pick<Facts, 'interfaces'>): string[] {
  const own = interfaces
    .filter((one) => one.name !== tunnelInterface)
    .flatMap((one) => one.addresses.map(({ address, prefixLength }) => ipNetwork(address, prefixLength)));
  return offered.filter((network) => !own.some((mine) => overlap(network, mine))).toSorted();
}

/** Those of one family. */
export const networksOf = (networks: readonly string[], family: Family): string[] =>
  networks.filter((one) => ipFamily(one.split('/')[0] ?? '') === family);

/** The elements of a set as `nft -j` lists them, in the order of {@link behindOf}. */
export function readNetworks(elements: unknown): string[] {
  const all: readonly unknown[] = Array.isArray(elements) ? elements : [];
  return all
    .flatMap((one) => {
      if (isText(one)) return [`${one}/${one.includes(':') ? 128 : 32}`];
      const [prefix] = list([list([one])[0]?.['prefix']]);
      const { addr, len } = prefix ?? {};
      return isText(addr) && isNumber(len) ? [`${addr}/${len}`] : [];
    })
    .toSorted();
}
