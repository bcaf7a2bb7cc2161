import { type Family, ipFamily } from '@tresse/schema';

import type { Facts } from './facts.ts';
import { addressSet, type Chain, tableOf } from './nft-table.ts';
import { lanRouteMetric, relayTunnelPrefix } from './numbers.ts';
import type { NetworkState, Route, Ruleset } from './state.ts';
import { interfaceSetting, type Sysctls } from './sysctls.ts';

/** What a relay's network state is derived from. */
export interface RelayWish {
  /** The relay's TUN devices; none: nothing of the kernel's is touched. */
  readonly tunnels: readonly string[];
  readonly facts: Facts;
  /** Sysctl values as they were before us. */
  readonly sysctls: Sysctls;
  /** Networks that packets must not lead into, as text; of IPv6 beside what is not 2000::/3. */
  readonly special: Readonly<Record<Family, readonly string[]>>;
  /** Private networks they may. */
  readonly allowed: readonly string[];
  /** Ports that lead to boxes' LANs; default none. */
  readonly ports?: RelayPorts;
  /** Routes between networks behind the relay and boxes' LANs; default none. */
  readonly routes?: readonly RelayRoute[];
  /** Interfaces by which those networks are reached. */
  readonly behind?: readonly string[];
}

/** The route of a box that is there. */
export interface RelayRoute {
  /** The TUN device that leads to it. */
  readonly device: string;
  /** What it is called inside the tunnel. */
  readonly inner: Readonly<Partial<Record<Family, string>>>;
  /** Behind the relay: its LAN may send there. */
  readonly networks: readonly string[];
  /** Its LAN's: those networks may send there. */
  readonly lan: readonly string[];
}

/** What packets to a relay's published ports meet. */
export interface RelayPorts {
  /** The relay's addresses where they are; `any`: all. */
  readonly addresses: readonly string[];
  /** Each with the networks clients may come from; none: everywhere. */
  readonly tcp: readonly { readonly port: number; readonly from: readonly string[] }[];
  /** The same, and what the box is called inside the tunnel, of each family that leads to a host. */
  readonly udp: readonly {
    readonly port: number;
    readonly from: readonly string[];
    readonly to: Readonly<Partial<Record<Family, string>>>;
  }[];
}

const noPorts: RelayPorts = { addresses: ['any'], tcp: [], udp: [] };

const forwarding6 = 'net.ipv6.conf.all.forwarding';
const headers = { 4: 'ip', 6: 'ip6' } as const;

/** The sysctls whose values {@link relayState} must be told, as they were before anything of ours. */
export function relaySysctlsWanted(facts: Facts, behind: readonly string[] = []): string[] {
  return [forwarding6, ...passing(facts, behind).flatMap((name) => [forwards4(name), forwards6(name)])];
}

/**
 * Whether packets of IPv6 can be passed on: the machine does so for everybody, or this kernel can for single interfaces (since Linux 6.17). The
 * switch for everybody is not touched: a machine that forwards ignores router advertisements, and may lose its own addresses.
 */
export function relayForwardsIpv6(facts: Facts, sysctls: Sysctls): boolean {
  return sysctls[forwarding6] === '1' || outwards(facts).some((name) => sysctls[forwards6(name)] !== undefined);
}

/**
 * What a relay wants of its kernel: packets from the tunnels go to the internet behind its own address, and nowhere else; their
 * answers come back; nothing begins from outside.
 */
export function relayState(wish: RelayWish): NetworkState {
  const { tunnels, facts, sysctls, routes = [], behind = [] } = wish;
  if (tunnels.length === 0) return { sysctls: {}, routes: [], rules: [] };
  const families: readonly Family[] = sysctls[forwarding6] === undefined ? [4] : [4, 6];
  const wanted: Record<string, string> = {};
  for (const name of passing(facts, behind)) {
    wanted[forwards4(name)] = '1';
    if (sysctls[forwarding6] === '0' && sysctls[forwards6(name)] !== undefined) wanted[forwards6(name)] = '1';
  }
  return {
    sysctls: wanted,
    routes: routes.flatMap((one) => lanRoutes(one, families)),
    rules: [],
    ruleset: relayRuleset(wish, families),
  };
}

const inside = `"${relayTunnelPrefix}*"`;

function lanRoutes({ device, lan }: RelayRoute, families: readonly Family[]): Route[] {
  const common = { type: 'unicast', device, table: 'main', metric: lanRouteMetric } as const;
  return families.flatMap((family) =>
    ofFamily(lan, family).map((destination) =>
      Object.assign({ family, destination }, common, family === 4 ? { link: true } : {}),
    ),
  );
}

const familyOf = (network: string): Family => ipFamily(network.split('/')[0] ?? '');

function relayRuleset(wish: RelayWish, families: readonly Family[]): Ruleset {
  const { special, allowed, ports = noPorts, routes = [], behind = [] } = wish;
  const reject = 'counter reject with icmpx type admin-prohibited';
  const allowedOf = (family: Family): string[] => allowed.filter((one) => ipFamily(one.split('/')[0] ?? '') === family);
  const sets = families.flatMap((family) => [
    addressSet('special', family, special[family]),
    addressSet('allowed', family, allowedOf(family)),
  ]);
  const tunnelled = [
    `iifname != ${inside} accept`,
    'ct state { established, related } accept',
    'fib daddr type local meta l4proto { icmp, ipv6-icmp } accept',
    `fib daddr type { local, broadcast, multicast } ${reject}`,
    ...routes.flatMap((one) => fromLan(one, families)),
    ...families.flatMap((family) => [
      `${headers[family]} daddr @allowed${family} accept`,
      `${headers[family]} daddr @special${family} ${reject}`,
    ]),
    ...(families.includes(6) ? [`ip6 daddr != 2000::/3 ${reject}`] : []),
  ];
  return tableOf(sets, [
    { name: 'tunnelled', hook: 'type filter hook prerouting priority mangle; policy accept;', rules: tunnelled },
    {
      name: 'entering',
      hook: 'type filter hook forward priority filter; policy accept;',
      rules: [
        ...(routes.length === 0
          ? []
          : [`oifname ${inside} tcp flags & (syn|rst) == syn tcp option maxseg size set rt mtu`]),
        ...routes.flatMap((one) => toLan(one, families, behind)),
        ...(ports.udp.length === 0
          ? []
          : [`iifname != ${inside} oifname ${inside} meta l4proto udp ct status dnat accept`]),
        `iifname != ${inside} oifname ${inside} ct state != { established, related } counter drop`,
      ],
    },
    {
      name: 'leaving',
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: [`iifname ${inside} oifname != ${inside} counter masquerade`],
    },
    ...portChains(families, ports),
  ]);
}

const ofFamily = (networks: readonly string[], family: Family): string[] =>
  networks.filter((one) => familyOf(one) === family);

/** A box's LAN, which comes by the box's own address, to the networks that its route names. */
function fromLan({ inner, networks }: RelayRoute, families: readonly Family[]): string[] {
  return families.flatMap((family) => {
    const own = inner[family];
    const to = ofFamily(networks, family);
    if (own === undefined || to.length === 0) return [];
    return [`${headers[family]} saddr ${own} ${headers[family]} daddr { ${to.join(', ')} } accept`];
  });
}

/** Those networks, by the interfaces where they are, to the LAN. */
function toLan(
  { networks, lan, device }: RelayRoute,
  families: readonly Family[],
  behind: readonly string[],
): string[] {
  return families.flatMap((family) => {
    const [from, to] = [ofFamily(networks, family), ofFamily(lan, family)];
    if (from.length === 0 || to.length === 0 || behind.length === 0) return [];
    const ways = behind.map((name) => `"${name}"`).join(', ');
    const header = headers[family];
    return [
      `iifname { ${ways} } oifname "${device}" ${header} saddr { ${from.join(', ')} } ${header} daddr { ${to.join(', ')} } accept`,
    ];
  });
}

/** UDP to a published port goes into the tunnel, by the number it came to; whoever may not come finds it closed. */
function portChains(families: readonly Family[], ports: RelayPorts): Chain[] {
  const published = ports.udp.flatMap(({ port, from, to }) =>
    families.flatMap((family) => {
      const box = to[family];
      const sources = sourcesOf(from, family);
      const here = hereOf(ports.addresses, family);
      if (box === undefined || sources === undefined || here === undefined) return [];
      const target = family === 4 ? box : `[${box}]`;
      return [
        `iifname != ${inside} meta nfproto ipv${family} ${here}${sources}udp dport ${port} counter dnat ${headers[family]} to ${target}:${port}`,
      ];
    }),
  );
  const restricted = ports.tcp
    .filter(({ from }) => from.length > 0)
    .flatMap(({ port, from }) =>
      families.map((family) => {
        const others = sourcesOf(from, family)?.replace(' saddr ', ' saddr != ') ?? '';
        return `meta nfproto ipv${family} ${others}tcp dport ${port} counter reject with tcp reset`;
      }),
    );
  const closed = ports.udp.map(({ port }) => `udp dport ${port} counter reject`);
  return [
    ...chainOf('published', 'type nat hook prerouting priority dstnat; policy accept;', published),
    ...chainOf('closed', 'type filter hook input priority filter; policy accept;', [...restricted, ...closed]),
  ];
}

const chainOf = (name: string, hook: string, rules: readonly string[]): Chain[] =>
  rules.length === 0 ? [] : [{ name, hook, rules }];

/** Matches where clients may come from; undefined where none of this family may. */
function sourcesOf(from: readonly string[], family: Family): string | undefined {
  const own = from.filter((one) => ipFamily(one) === family);
  if (from.length > 0 && own.length === 0) return undefined;
  return own.length === 0 ? '' : `${headers[family]} saddr { ${own.join(', ')} } `;
}

/** Matches the relay's own addresses; undefined where it has none of this family. */
function hereOf(addresses: readonly string[], family: Family): string | undefined {
  if (addresses.includes('any')) return 'fib daddr type local ';
  const own = addresses.filter((one) => ipFamily(one) === family);
  return own.length === 0 ? undefined : `${headers[family]} daddr { ${own.join(', ')} } `;
}

/** The interfaces that have to pass packets on: by which the internet is reached, and networks behind the relay. */
const passing = (facts: Facts, behind: readonly string[]): string[] => [...new Set([...outwards(facts), ...behind])];

/** The interfaces by which the internet is reached. */
function outwards({ gateways, interfaces }: Facts): string[] {
  const named = gateways.map((one) => one.interface);
  const direct = interfaces.filter((one) => one.pointToPoint && one.up && one.addresses.some((a) => a.lasting));
  return [...new Set([...named, ...direct.map((one) => one.name)])].filter(
    (name) => !name.startsWith(relayTunnelPrefix),
  );
}

const forwards4 = (name: string): string => interfaceSetting('ipv4', name, 'forwarding');
const forwards6 = (name: string): string => interfaceSetting('ipv6', name, 'force_forwarding');
