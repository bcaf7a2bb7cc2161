import { isNumber, isText, list } from './json.ts';
import { markMask, nftTable, routeProtocol, rulePriorityFirst, rulePriorityLast } from './numbers.ts';
import type { Route, Rule } from './state.ts';

/** What the kernel says of one network interface. */
export interface InterfaceFact {
  readonly name: string;
  /** Switched on by the administrator. */
  readonly up: boolean;
  readonly carrier: boolean;
  readonly pointToPoint: boolean;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}

/** A default route of the main table. */
export interface GatewayFact {
  readonly interface: string;
  readonly gateway: string;
  readonly metric: number;
}

/** What the plan needs to know of the machine and may not change. */
export interface Facts {
  readonly interfaces: readonly InterfaceFact[];
  readonly gateways: readonly GatewayFact[];
}

/** What the kernel holds of ours now. */
export interface KernelState {
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
  /** The fingerprint in a comment of our nftables table and its number of rules; absent when there is no table. */
  readonly table?: { readonly fingerprint: string; readonly ruleCount: number };
  /** Values of the sysctls asked for; a missing key does not exist. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** Reads `ip -j addr show`. What is not understood is left out. */
export function readInterfaces(json: unknown): InterfaceFact[] {
  return list(json).flatMap((entry) => {
    const { ifname: name } = entry;
    if (!isText(name)) return [];
    const flags: unknown[] = Array.isArray(entry['flags']) ? entry['flags'] : [];
    const addresses = list(entry['addr_info']).flatMap(({ family, local: address, prefixlen: prefixLength }) =>
      family === 'inet' && isText(address) && isNumber(prefixLength) ? [{ address, prefixLength }] : [],
    );
    return [
      {
        name,
        up: flags.includes('UP'),
        carrier: flags.includes('LOWER_UP'),
        pointToPoint: flags.includes('POINTOPOINT'),
        addresses,
      },
    ];
  });
}

/** Reads the default routes out of `ip -j route show table main`, the preferred first. */
export function readGateways(json: unknown): GatewayFact[] {
  return list(json)
    .flatMap(({ dst, gateway, dev, metric }) =>
      dst === 'default' && isText(gateway) && isText(dev)
        ? [{ interface: dev, gateway, metric: isNumber(metric) ? metric : 0 }]
        : [],
    )
    .toSorted((a, b) => a.metric - b.metric);
}

/** Reads our rules out of `ip -j rule show`. */
export function readRules(json: unknown): Rule[] {
  return list(json).flatMap((entry) => {
    const { priority, src, srclen, iif, fwmark, fwmask, table, suppress_prefixlen: suppress } = entry;
    if (String(entry['protocol']) !== String(routeProtocol) || !isNumber(priority)) return [];
    if (priority < rulePriorityFirst || priority > rulePriorityLast || !isText(table)) return [];
    const from = isText(src) && src !== 'all' ? src : undefined;
    return [
      {
        priority,
        table,
        ...(from !== undefined && { from: isNumber(srclen) ? `${from}/${srclen}` : from }),
        ...(isText(iif) && { iif }),
        ...(isText(fwmark) && { mark: { value: Number(fwmark), mask: isText(fwmask) ? Number(fwmask) : markMask } }),
        ...(isNumber(suppress) && { suppressPrefixLength: suppress }),
      },
    ];
  });
}

/** Reads `ip -j route show table all protocol 200`. */
export function readRoutes(json: unknown): Route[] {
  return list(json).flatMap((entry) => {
    const { type, dst, gateway, dev, prefsrc, scope, metric, table } = entry;
    if (!isText(dst)) return [];
    const flags: unknown[] = Array.isArray(entry['flags']) ? entry['flags'] : [];
    return [
      {
        type: type === 'local' || type === 'unreachable' ? type : 'unicast',
        destination: dst,
        table: isText(table) ? table : 'main',
        ...(isText(gateway) && { gateway }),
        ...(isText(dev) && type !== 'unreachable' && { device: dev }),
        ...(isText(prefsrc) && { source: prefsrc }),
        ...(scope === 'link' && { link: true }),
        ...(isNumber(metric) && { metric }),
        ...(flags.includes('onlink') && { onlink: true }),
      },
    ];
  });
}

/** Reads the objects `nft -j list table inet tresse` gives: fingerprint and number of rules; undefined without a table. */
export function readTable(json: unknown): KernelState['table'] {
  const objects = list(json);
  if (!objects.some((object) => 'table' in object)) return undefined;
  const rules = list(objects.map((object) => object['rule']));
  const comments = rules.map((rule) => rule['comment']).filter(isText);
  const fingerprint = comments.find((comment) => comment.startsWith(`${nftTable} `)) ?? '';
  return { fingerprint, ruleCount: rules.length };
}
