import type { Family } from '@tresse/schema';

import { noneBehind, networksOf } from './behind.ts';
import { choiceText } from './choice.ts';
import type { Wish } from './desired.ts';
import { addressSet, type Chain, tableOf } from './nft-table.ts';
import { interceptMark, interceptPort, markMask, tunnelInterface, tunnelMark, uplinkMark } from './numbers.ts';
import { publishedComment, type PublishedUdp } from './publishable.ts';
import type { Ruleset } from './state.ts';
import { forwardsIpv6, hasIpv6 } from './sysctls.ts';
import type { PacketTreatment, Treatment } from './treatment.ts';
import type { ResolvedUplink } from './uplink.ts';

/** Networks no relay can reach for a box: the LAN's own and its neighbours' (RFC 6890). */
const directNetworks: Readonly<Record<Family, readonly string[]>> = {
  4: [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '224.0.0.0/3',
  ],
  6: ['::/127', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
};

/** How nftables calls a family: its packets, its addresses' type, where the engine listens, headers of IP and TCP. */
const names = {
  4: { packets: 'ipv4', header: 'ip', type: 'ipv4_addr', listener: '127.0.0.1', headerBytes: 40 },
  6: { packets: 'ipv6', header: 'ip6', type: 'ipv6_addr', listener: '[::1]', headerBytes: 60 },
} as const;

const pings = { 4: 'icmp', 6: 'ipv6-icmp' } as const;
const octets = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
const others = octets((0xffff_ffff & ~markMask) >>> 0);
const mask = octets(markMask);
const intercepted = octets(interceptMark);
const tunnelled = octets(tunnelMark);
const quoted = (texts: readonly string[]): string => `{ ${texts.map((text) => `"${text}"`).join(', ')} }`;
/** Sets our part of a packet's or flow's mark. */
const marked = (what: 'meta' | 'ct', value: string): string => `${what} mark set ${what} mark & ${others} | ${value}`;
const isTcp = (family: Family): string => `meta nfproto ${names[family].packets} meta l4proto tcp`;

/**
 * Our whole nftables table, replaced in one transaction: running flows keep their way.
 *
 * - What is the engine's stays the engine's, and a flow that began directly stays with its line, whatever happens to new ones.
 * - New TCP is bonded (handed to the engine by tproxy), refused, or goes directly, by family. Never bonded: what goes to the
 *   box itself, to private networks and to the relay.
 * - If nothing listens, tproxy does not match, and the reject behind it refuses at once instead of letting traffic leak past
 *   the bond.
 * - The rest of the LAN goes to the relay by the tunnel, or leaves the best uplink behind its address. The mark of the uplink decides the route, the address
 *   (also where two lines share a card), and is kept with the flow.
 */
export function ruleset(wish: Wish): Ruleset {
  const families: readonly Family[] = hasIpv6(wish.sysctls) ? [4, 6] : [4];
  const chains: Chain[] = [
    {
      name: 'intercept',
      hook: 'type filter hook prerouting priority mangle; policy accept;',
      rules: intercept(wish, families),
    },
    { name: 'inbound', rules: inbound(wish.uplinks) },
    { name: 'tunnelled', rules: fromTunnel(wish, families) },
    ...published(wish),
    { name: 'direct', rules: direct(wish, families) },
    {
      name: 'forward',
      hook: 'type filter hook forward priority mangle; policy accept;',
      rules: clamp(wish, families),
    },
    {
      name: 'nat',
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: translate(wish, families),
    },
  ];
  const sets = families.flatMap((family) => [directSet(wish, family)].concat(behindSets(wish, family)));
  return tableOf(sets, chains, ` ${choiceText(wish, wish.uplinks)}`);
}

function directSet({ config }: Wish, family: Family): string {
  const relay = config.relay.addresses.filter((address) => address.includes(':') === (family === 6));
  return addressSet('direct', family, [...directNetworks[family], ...relay]);
}

/** Networks behind the relay, and those of the LAN that may be reached from there; where nothing is routed there are none. */
function behindSets({ behind = noneBehind }: Wish, family: Family): string[] {
  return (['networks', 'reachable'] as const).flatMap((which) => {
    const own = networksOf(behind[which], family);
    return own.length === 0 ? [] : [addressSet(which === 'networks' ? 'behind' : 'reachable', family, own)];
  });
}

/** Whether a family has networks of a kind. */
const has = ({ behind = noneBehind }: Wish, which: 'networks' | 'reachable', family: Family): boolean =>
  networksOf(behind[which], family).length > 0;

/** The relay reaches them, whatever it reaches of the internet. What goes by neither lane now must not leave by a line. */
function onlyBehind(wish: Wish, family: Family): string[] {
  if (!has(wish, 'networks', family)) return [];
  const { treatments } = wish;
  const to = `${names[family].header} daddr @behind${family}`;
  const isReached = treatments[4] === 'bond';
  const tcp = isReached ? treatment('bond', family) : [`${isTcp(family)} counter reject with tcp reset`];
  return [
    ...(treatments[family] === 'bond' ? [] : tcp.map((rule) => `${to} ${rule}`)),
    ...(wish.packets[family] === 'tunnel'
      ? []
      : [`${to} meta l4proto != tcp counter reject with icmpx type admin-prohibited`]),
  ];
}

function intercept(wish: Wish, families: readonly Family[]): string[] {
  return [
    `iifname "${tunnelInterface}" goto tunnelled`,
    `iifname != ${quoted(wish.config.lan.interfaces)} goto inbound`,
    `meta l4proto tcp socket transparent 1 ${marked('meta', intercepted)} accept`,
    ...linesWithAddress(wish.uplinks).map(
      ({ index }) =>
        `ct mark & ${mask} == ${octets(uplinkMark(index))} ${marked('meta', octets(uplinkMark(index)))} accept`,
    ),
    'fib daddr type { local, broadcast, multicast } accept',
    // Answers of hosts that were spoken to from the relay's side go back as they were asked.
    ...(portsOf(wish).length === 0 && !families.some((family) => isReachable(wish, family))
      ? []
      : [`ct direction reply ct mark & ${mask} == ${tunnelled} ${marked('meta', tunnelled)} accept`]),
    'ct direction reply goto direct',
    ...families.flatMap((family) => [
      ...onlyBehind(wish, family),
      `${names[family].header} daddr @direct${family} ${has(wish, 'networks', family) ? `${names[family].header} daddr != @behind${family} ` : ''}goto direct`,
      ...treatment(wish.treatments[family], family),
      ...packetTreatment(wish.packets[family], family),
    ]),
    'goto direct',
  ];
}

/** What begins now, and what has begun as the engine's and lost its socket there. */
function treatment(chosen: Treatment, family: Family): string[] {
  const tcp = isTcp(family);
  const reject = `${tcp} counter reject with tcp reset`;
  const stays = `${tcp} tcp flags & (fin|syn|rst|ack) != syn ct mark & ${mask} != ${intercepted} goto direct`;
  switch (chosen) {
    case 'bond':
      return [
        stays,
        `${tcp} tproxy ${names[family].header} to ${names[family].listener}:${interceptPort} ` +
          `${marked('ct', intercepted)} ${marked('meta', intercepted)} counter accept`,
        reject,
      ];
    case 'direct':
      return [`${tcp} ct mark & ${mask} == ${intercepted} counter reject with tcp reset`];
    case 'refuse':
    default:
      return [stays, reject];
  }
}

/** Everything that is no TCP. Flows that began directly were let through before, and stay with their line. */
function packetTreatment(chosen: PacketTreatment, family: Family): string[] {
  const rest = `meta nfproto ${names[family].packets} meta l4proto != tcp`;
  switch (chosen) {
    case 'tunnel':
      return [`${rest} ${marked('ct', tunnelled)} ${marked('meta', tunnelled)} counter accept`];
    case 'refuse':
      return [`${rest} counter reject with icmpx type admin-prohibited`];
    case 'hold':
      return [`${rest} counter drop`];
    case 'direct':
    default:
      return [];
  }
}

/** Answers, pings of the box itself, and what is published: nothing else begins from the relay's side. */
function fromTunnel(wish: Wish, families: readonly Family[]): string[] {
  const isOpen = portsOf(wish).length > 0 || families.some((family) => isReachable(wish, family));
  return [
    'ct state { established, related } accept',
    // Nobody there passes for the box or a host of the LAN.
    ...(isOpen
      ? [`fib saddr oifname ${quoted(wish.config.lan.interfaces)} counter drop`, 'fib saddr type local counter drop']
      : []),
    ...portsOf(wish).map(
      ({ family, port }) => `${isUdpTo(family, port)} fib daddr type local ${marked('ct', tunnelled)} accept`,
    ),
    // Not the box itself, although its address lies there.
    ...families
      .filter((family) => isReachable(wish, family))
      .map((family) => {
        const { header } = names[family];
        const way = `${header} saddr @behind${family} ${header} daddr @reachable${family}`;
        return `${way} fib daddr type unicast ${marked('ct', tunnelled)} accept`;
      }),
    `meta l4proto { ${families.map((family) => pings[family]).join(', ')} } fib daddr type local accept`,
    'counter drop',
  ];
}

/** Where ports of the relay lead. The client keeps its address, so that its host knows whom it serves, unless it is to be hidden. */
function published(wish: Wish): Chain[] {
  const rules = portsOf(wish).map((one) => {
    const { family, port, host } = one;
    const to = family === 4 ? host.address : `[${host.address}]`;
    const { header } = names[family];
    return (
      `iifname "${tunnelInterface}" ${isUdpTo(family, port)} counter dnat ${header} to ${to}:${host.port} ` +
      `comment "${publishedComment(one)}"`
    );
  });
  return rules.length === 0
    ? []
    : [{ name: 'published', hook: 'type nat hook prerouting priority dstnat; policy accept;', rules }];
}

const isUdpTo = (family: Family, port: number): string => `meta nfproto ${names[family].packets} udp dport ${port}`;

/** Whether hosts of the LAN may be spoken to from behind the relay now. */
const isReachable = (wish: Wish, family: Family): boolean =>
  wish.packets[family] === 'tunnel' && has(wish, 'networks', family) && has(wish, 'reachable', family);

/** Published ports of the families that go by the tunnel now. */
const portsOf = ({ published: ports = [], packets }: Wish): PublishedUdp[] =>
  ports.filter(({ family }) => packets[family] === 'tunnel');

function linesWithAddress(uplinks: readonly ResolvedUplink[]): ResolvedUplink[] {
  return uplinks.filter((uplink) => uplink.enabled && uplink.addresses.length > 0);
}

/** What begins from outside belongs to the line it came by, and is answered by it. */
function inbound(uplinks: readonly ResolvedUplink[]): string[] {
  return linesWithAddress(uplinks).flatMap((uplink) => {
    const shared = uplinks.filter((one) => one.interface === uplink.interface).length > 1;
    const mark = marked('ct', octets(uplinkMark(uplink.index)));
    const from = `iifname "${uplink.interface}"`;
    if (!shared) return [`${from} ct state new ${mark}`];
    return uplink.addresses.map(
      ({ family, address }) => `${from} ${names[family].header} daddr ${address} ct state new ${mark}`,
    );
  });
}

/** The best uplink's mark on what has none yet. */
function direct({ uplinks, direct: best }: Wish, families: readonly Family[]): string[] {
  return families.flatMap((family) => {
    const uplink = uplinks.find((one) => one.name === best[family]);
    if (!uplink) return [];
    return [`meta nfproto ${names[family].packets} ${marked('meta', octets(uplinkMark(uplink.index)))} accept`];
  });
}

/** Both ends of a direct connection are told what the line carries: outwards by the route, inwards by the card it came in by. */
function clamp(wish: Wish, families: readonly Family[]): string[] {
  const { uplinks } = wish;
  const syn = 'tcp flags & (syn|rst) == syn tcp option maxseg size set';
  const mtus = new Map(uplinks.filter((uplink) => uplink.mtu > 0).map((uplink) => [uplink.interface, uplink.mtu]));
  return [
    ...(families.some((family) => isReachable(wish, family)) ? [`oifname "${tunnelInterface}" ${syn} rt mtu`] : []),
    `oifname ${quoted(interfaces(uplinks))} ${syn} rt mtu`,
    ...families.flatMap((family) =>
      [...mtus].map(([name, mtu]) => {
        const segment = Math.min(Math.max(mtu - names[family].headerBytes, 88), 65_495);
        return `meta nfproto ${names[family].packets} iifname "${name}" ${syn} ${segment}`;
      }),
    ),
  ];
}

const interfaces = (uplinks: readonly ResolvedUplink[]): string[] => [
  ...new Set(uplinks.map((uplink) => uplink.interface)),
];

/** What leaves a line by another way than its mark (a modem's own page, say) has the address of the card. */
function translate(wish: Wish, families: readonly Family[]): string[] {
  const { config, uplinks, sysctls, packets: tunnel } = wish;
  const chosen = linesWithAddress(uplinks).flatMap((uplink) =>
    uplink.addresses
      .filter(({ family }) => families.includes(family))
      .map(({ family, address }) => {
        const { packets, header } = names[family];
        const mark = octets(uplinkMark(uplink.index));
        return (
          `meta nfproto ${packets} oifname "${uplink.interface}" meta mark & ${mask} == ${mark} ` +
          `${marked('ct', mark)} counter snat ${header} to ${address}`
        );
      }),
  );
  const rest = `iifname ${quoted(config.lan.interfaces)} oifname ${quoted(interfaces(uplinks))} counter masquerade`;
  const inside = families
    .filter((family) => tunnel[family] === 'tunnel')
    .map((family) => `meta nfproto ${names[family].packets} oifname "${tunnelInterface}" counter masquerade`);
  const hidden = portsOf(wish)
    .filter((one) => one.hidden)
    .map(({ family, host }) => {
      const { packets, header } = names[family];
      return `meta nfproto ${packets} iifname "${tunnelInterface}" ${header} daddr ${host.address} udp dport ${host.port} counter masquerade`;
    });
  return [
    ...inside,
    ...hidden,
    ...chosen,
    `meta nfproto ipv4 ${rest}`,
    ...(forwardsIpv6(sysctls) ? [`meta nfproto ipv6 ${rest}`] : []),
  ];
}
