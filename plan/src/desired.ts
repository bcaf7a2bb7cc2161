import { type BoxConfig, type Family, ipWithin } from '@tresse/schema';

import type { Behind } from './behind.ts';
import type { Choice } from './choice.ts';
import {
  barrierMetric,
  directPriority,
  interceptMark,
  interceptTable,
  lanDirectPriority,
  lanLocalPriority,
  markMask,
  rulePriorityFirst,
  tunnelInterface,
  tunnelMark,
  tunnelPriority,
  tunnelTable,
  uplinkMark,
  uplinkTable,
} from './numbers.ts';
import type { PublishedUdp } from './publishable.ts';
import { ruleset } from './ruleset.ts';
import type { NetworkState, Route, Rule } from './state.ts';
import { desiredSysctls, hasIpv6, type Sysctls } from './sysctls.ts';
import type { ResolvedUplink, UplinkAddress } from './uplink.ts';

/** What of the configuration says how the network must be. */
export type NetworkConfig = Pick<BoxConfig, 'uplinks' | 'lan'> & { relay: Pick<BoxConfig['relay'], 'addresses'> };

/** What the wanted state is derived from. */
export interface Wish extends Choice {
  readonly config: NetworkConfig;
  /** What the machine says of the uplinks. */
  readonly uplinks: readonly ResolvedUplink[];
  /** Sysctl values as they were before us. */
  readonly sysctls: Sysctls;
  /** Ports of the relay that lead to hosts of the LAN; default none. */
  readonly published?: readonly PublishedUdp[];
  /** Routes between the LAN and networks behind the relay; default none. */
  readonly behind?: Behind;
}

/** The whole network state a box should have: a pure function of the wish. */
export function desiredState(wish: Wish): NetworkState {
  const { config, uplinks, sysctls, packets } = wish;
  const families: readonly Family[] = hasIpv6(sysctls) ? [4, 6] : [4];
  return {
    sysctls: desiredSysctls(config, uplinks, sysctls, packets[6] === 'tunnel'),
    routes: families.flatMap((family) => desiredRoutes(wish, family)),
    rules: families.flatMap((family) => desiredRules(wish, family)),
    ruleset: ruleset(wish),
  };
}

function desiredRules({ config, uplinks, direct, packets }: Wish, family: Family): Rule[] {
  const ours = linesOf(uplinks, family);
  return [
    {
      family,
      priority: rulePriorityFirst,
      mark: { value: interceptMark, mask: markMask },
      table: String(interceptTable),
    },
    // What carries an uplink's address as its source is routed by that uplink's table, whatever the main table says.
    ...ours.map(({ index, address }) => ({
      family,
      priority: uplinkTable(index),
      from: address.address,
      table: String(uplinkTable(index)),
    })),
    ...config.lan.interfaces.map((iif) => ({
      family,
      priority: lanLocalPriority,
      iif,
      table: 'main',
      suppressPrefixLength: 0,
    })),
    ...(packets[family] === 'tunnel'
      ? [
          {
            family,
            priority: tunnelPriority,
            mark: { value: tunnelMark, mask: markMask },
            table: String(tunnelTable),
          },
        ]
      : []),
    ...ours.map(({ index }) => ({
      family,
      priority: directPriority,
      mark: { value: uplinkMark(index), mask: markMask },
      table: String(uplinkTable(index)),
    })),
    ...ours
      .filter(({ name }) => name === direct[family])
      .flatMap(({ index }) =>
        config.lan.interfaces.map((iif) => ({
          family,
          priority: lanDirectPriority,
          iif,
          table: String(uplinkTable(index)),
        })),
      ),
  ];
}

function desiredRoutes({ uplinks, packets }: Wish, family: Family): Route[] {
  const table = String(interceptTable);
  const local: Route = { family, type: 'local', destination: 'default', device: 'lo', table, ...usual(family) };
  const tunnelled = packets[family] === 'tunnel' ? tunnelRoutes(family) : [];
  return [local, ...tunnelled, ...linesOf(uplinks, family).flatMap((line) => lineRoutes(line))];
}

/** What is meant for the relay leaves by nothing else. */
function tunnelRoutes(family: Family): Route[] {
  const table = String(tunnelTable);
  const link = family === 4 ? { link: true } : {};
  return [
    { family, type: 'unicast', destination: 'default', device: tunnelInterface, table, ...link, ...usual(family) },
    { family, type: 'unreachable', destination: 'default', table, metric: barrierMetric },
  ];
}

interface Line {
  readonly name: string;
  readonly index: number;
  readonly device: string;
  readonly up: boolean;
  readonly address: UplinkAddress;
}

/** The uplinks that have an address of a family. */
function linesOf(uplinks: readonly ResolvedUplink[], family: Family): Line[] {
  return uplinks.flatMap(({ name, index, interface: device, up, enabled, addresses }) => {
    const own = enabled ? addresses.filter((one) => one.family === family) : [];
    return own.map((address) => ({ name, index, device, up, address }));
  });
}

/** IPv6 routes have a metric always; this is the kernel's own. */
const usual = (family: Family): { metric?: number } => (family === 6 ? { metric: 1024 } : {});

/**
 * The uplink's own table. The barrier at its end holds also when the kernel has taken the other routes with the link:
 * packets of this line never leave by another one. A fallen carrier keeps its routes, so that they are there on its return.
 */
function lineRoutes({ index, device, up, address: { family, address, network, gateway } }: Line): Route[] {
  const table = String(uplinkTable(index));
  const barrier: Route = { family, type: 'unreachable', destination: 'default', table, metric: barrierMetric };
  if (!up) return [barrier];
  const way: Route = { family, type: 'unicast', destination: 'default', device, table, ...usual(family) };
  const link = family === 4 ? { link: true } : {};
  if (gateway === undefined) return [{ ...way, ...link }, barrier];
  const alone = network.endsWith(family === 4 ? '/32' : '/128');
  const near = ipWithin(gateway, network) || ipWithin(gateway, 'fe80::/10');
  const out: Route = { ...way, gateway, ...(!near || (alone && family === 4) ? { onlink: true } : {}) };
  return alone ? [out, barrier] : [{ ...way, ...link, destination: network, source: address }, out, barrier];
}
