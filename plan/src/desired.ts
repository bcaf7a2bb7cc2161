import type { BoxConfig } from '@tresse/schema';

import {
  barrierMetric,
  interceptMark,
  interceptTable,
  lanDirectPriority,
  lanLocalPriority,
  markMask,
  rulePriorityFirst,
  uplinkTable,
} from './numbers.ts';
import { ruleset } from './ruleset.ts';
import type { NetworkState, Route, Rule } from './state.ts';
import type { ResolvedUplink } from './uplink.ts';

/** The sysctls whose values {@link desiredState} must be told, as they were before anything of ours. */
export function sysctlsWanted(config: BoxConfig): string[] {
  const lines = config.uplinks.map((uplink) => uplink.interface);
  return [
    'net.ipv6.conf.all.forwarding',
    'net.ipv4.conf.all.rp_filter',
    ...[...new Set(lines)].map((name) => key(name, 'rp_filter')),
    ...[...new Set([...config.lan.interfaces, ...lines])].map((name) => key(name, 'forwarding')),
  ];
}

/** The parts are told apart by slashes where an interface's name holds a dot. */
const key = (name: string, setting: string): string =>
  name.includes('.') ? `net/ipv4/conf/${name}/${setting}` : `net.ipv4.conf.${name}.${setting}`;

/**
 * The whole network state a box should have: a pure function of its configuration, what the machine says of the uplinks,
 * the uplink direct traffic leaves by, and sysctl values as they were before us.
 */
export function desiredState(
  config: BoxConfig,
  uplinks: readonly ResolvedUplink[],
  direct: string | undefined,
  sysctls: Readonly<Record<string, string>>,
): NetworkState {
  const lan = config.lan.interfaces;
  const rules: Rule[] = [
    {
      priority: rulePriorityFirst,
      mark: { value: interceptMark, mask: markMask },
      table: String(interceptTable),
    },
    ...uplinks.flatMap((uplink) => uplinkRule(uplink)),
    ...lan.map((iif) => ({ priority: lanLocalPriority, iif, table: 'main', suppressPrefixLength: 0 })),
  ];
  const best = uplinks.find((uplink) => uplink.name === direct);
  if (best) rules.push(...lan.map((iif) => ({ priority: lanDirectPriority, iif, table: tableOf(best) })));
  const routes: Route[] = [
    { type: 'local', destination: 'default', device: 'lo', table: String(interceptTable) },
    ...uplinks.flatMap((uplink) => uplinkRoutes(uplink)),
  ];
  return {
    sysctls: desiredSysctls(config, sysctls),
    routes,
    rules,
    ruleset: ruleset(config, uplinks, sysctls['net.ipv6.conf.all.forwarding'] === '1'),
  };
}

const tableOf = (uplink: ResolvedUplink): string => String(uplinkTable(uplink.index));

/** What carries the uplink's address as its source is routed by the uplink's own table, whatever the main table says. */
function uplinkRule(uplink: ResolvedUplink): Rule[] {
  if (uplink.address === undefined || !uplink.enabled) return [];
  return [{ priority: uplinkTable(uplink.index), from: uplink.address, table: tableOf(uplink) }];
}

/**
 * The uplink's own table. The barrier at its end holds also when the kernel has taken the other routes with the link:
 * packets of this line never leave by another one. A fallen carrier keeps its routes, so that they are there on its return.
 */
function uplinkRoutes(uplink: ResolvedUplink): Route[] {
  const { address, network, gateway, interface: device } = uplink;
  if (address === undefined || network === undefined || !uplink.enabled) return [];
  const table = tableOf(uplink);
  const barrier: Route = { type: 'unreachable', destination: 'default', table, metric: barrierMetric };
  if (!uplink.up) return [barrier];
  const [base = '', prefixLength = '32'] = network.split('/');
  const own = prefixLength === '32' ? base : network;
  const near: Route = { type: 'unicast', destination: own, device, table, source: address, link: true };
  if (gateway === undefined) return [{ type: 'unicast', destination: 'default', device, table, link: true }, barrier];
  if (prefixLength === '32') {
    return [{ type: 'unicast', destination: 'default', gateway, device, table, onlink: true }, barrier];
  }
  return [near, { type: 'unicast', destination: 'default', gateway, device, table }, barrier];
}

/**
 * Forwarding for what is not TCP, on our interfaces alone: `ip_forward` would change more than it says, and not change all of
 * it back. Loose reverse-path filtering where it is strict: strict mode drops what comes back by any line but the main
 * table's.
 */
function desiredSysctls(config: BoxConfig, before: Readonly<Record<string, string>>): Record<string, string> {
  const wanted: Record<string, string> = {};
  const lines = config.uplinks.map((uplink) => uplink.interface);
  for (const name of [...config.lan.interfaces, ...lines]) {
    if (before[key(name, 'forwarding')] !== undefined) wanted[key(name, 'forwarding')] = '1';
  }
  for (const name of lines) {
    const own = before[key(name, 'rp_filter')];
    const effective = Math.max(Number(before['net.ipv4.conf.all.rp_filter'] ?? '0'), Number(own ?? '0'));
    if (own !== undefined && effective === 1) wanted[key(name, 'rp_filter')] = '2';
  }
  return wanted;
}
