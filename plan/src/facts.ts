import { type Family, ipFamily, ipOctets, ipWithin } from '@tresse/schema';

import { type Behind, readNetworks } from './behind.ts';
import { isNumber, isText, list } from './json.ts';
import { markMask, nftTable, routeProtocol, rulePriorityFirst, rulePriorityLast } from './numbers.ts';
import { type PublishedUdp, readPublished } from './publishable.ts';
import type { Route, Rule } from './state.ts';

/** What an Ethernet carries. */
const mtuUsual = 1500;

/** An address of an interface. */
export interface AddressFact {
  readonly family: Family;
  readonly address: string;
  readonly prefixLength: number;
  /** Whether connections may begin from it that should last: not link-local, not temporary (RFC 8981), not on trial. */
  readonly lasting: boolean;
  /** Of several the lowest is taken: addresses the whole internet knows, that are not about to go, first. */
  readonly rank: number;
}

/** What the kernel says of one network interface. */
export interface InterfaceFact {
  readonly name: string;
  /** Switched on by the administrator. */
  readonly up: boolean;
  readonly carrier: boolean;
  readonly pointToPoint: boolean;
  /** Octets of the largest packet. */
  readonly mtu: number;
  readonly addresses: readonly AddressFact[];
}

/** A default route of the main table. */
export interface GatewayFact {
  readonly family: Family;
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
  readonly table?: {
    readonly fingerprint: string;
    readonly ruleCount: number;
    /** Ports of the relay that it leads to the LAN. */
    readonly published?: readonly PublishedUdp[];
    /** Networks behind the relay that it knows, and those of the LAN that may be reached from there. */
    readonly behind?: Behind;
  };
  /** Values of the sysctls asked for; a missing key does not exist. */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** Reads `ip -j addr show`. What is not understood is left out. */
export function readInterfaces(json: unknown): InterfaceFact[] {
  return list(json).flatMap((entry) => {
    const { ifname: name, mtu } = entry;
    if (!isText(name)) return [];
    const flags: unknown[] = Array.isArray(entry['flags']) ? entry['flags'] : [];
    return [
      {
        name,
        up: flags.includes('UP'),
        carrier: flags.includes('LOWER_UP'),
        pointToPoint: flags.includes('POINTOPOINT'),
        mtu: isNumber(mtu) ? mtu : mtuUsual,
        addresses: list(entry['addr_info']).flatMap((one) => readAddress(one)),
      },
    ];
  });
}

function readAddress(entry: Readonly<Record<string, unknown>>): AddressFact[] {
  const { local: address, prefixlen: prefixLength, scope } = entry;
  if (!isText(address) || !isNumber(prefixLength) || ipOctets(address) === undefined) return [];
  const family = ipFamily(address);
  const onTrial = entry['tentative'] === true || entry['dadfailed'] === true;
  const local = scope === 'host' || (family === 6 && scope === 'link');
  const rank = (entry['deprecated'] === true ? 2 : 0) + (ipWithin(address, 'fc00::/7') ? 1 : 0);
  return [{ family, address, prefixLength, lasting: !local && !onTrial && entry['temporary'] !== true, rank }];
}

/** Reads the default routes out of `ip -j route show table main`, of one family, the preferred first. */
export function readGateways(json: unknown, family: Family): GatewayFact[] {
  return list(json)
    .filter(({ dst }) => dst === 'default')
    .flatMap((route) => {
      const metric = isNumber(route['metric']) ? route['metric'] : 0;
      const hops = 'nexthops' in route ? list(route['nexthops']) : [route];
      return hops.flatMap(({ gateway, dev }) =>
        isText(gateway) && isText(dev) ? [{ family, interface: dev, gateway, metric }] : [],
      );
    })
    .toSorted((a, b) => a.metric - b.metric);
}

/** Reads `ip -j route get fibmatch ADDRESS`: the interface of a route of its own; undefined for the way to the internet, and this machine itself. */
export function readWay(json: unknown): string | undefined {
  const [way] = list(json);
  const { dst, dev } = way ?? {};
  return dst === 'default' || dev === 'lo' || !isText(dev) ? undefined : dev;
}

/** Reads our rules of one family out of `ip -j rule show`. */
export function readRules(json: unknown, family: Family): Rule[] {
  return list(json).flatMap((entry) => {
    const { priority, src, srclen, iif, fwmark, fwmask, table, suppress_prefixlen: suppress } = entry;
    if (String(entry['protocol']) !== String(routeProtocol) || !isNumber(priority)) return [];
    if (priority < rulePriorityFirst || priority > rulePriorityLast || !isText(table)) return [];
    const from = isText(src) && src !== 'all' ? src : undefined;
    return [
      {
        family,
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

/** Reads `ip -j route show table all protocol 200` of one family. */
export function readRoutes(json: unknown, family: Family): Route[] {
  return list(json).flatMap((entry) => {
    const { type, dst, gateway, dev, prefsrc, scope, metric, table } = entry;
    if (!isText(dst)) return [];
    const flags: unknown[] = Array.isArray(entry['flags']) ? entry['flags'] : [];
    return [
      {
        family,
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
  const sets = list(objects.map((object) => object['set']));
  const networksIn = (name: string): string[] =>
    ([4, 6] as const)
      .flatMap((family) => readNetworks(sets.find((set) => set['name'] === `${name}${family}`)?.['elem']))
      .toSorted();
  const behind = { networks: networksIn('behind'), reachable: networksIn('reachable') };
  return { fingerprint, ruleCount: rules.length, published: readPublished(comments), behind };
}
