import type { BoxConfig } from '@tresse/schema';

import { interceptMark, interceptPort, markMask, nftTable } from './numbers.ts';
import type { Ruleset } from './state.ts';
import type { ResolvedUplink } from './uplink.ts';

/** Networks no relay can reach for a box: the LAN's own and its neighbours' (RFC 6890). */
const directNetworks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
];
const directNetworks6 = ['::/127', 'fc00::/7', 'fe80::/10', 'ff00::/8'];

const octets = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
const others = octets((0xffff_ffff & ~markMask) >>> 0);
const mask = octets(markMask);
const intercepted = octets(interceptMark);
const quoted = (names: readonly string[]): string => `{ ${names.map((name) => `"${name}"`).join(', ')} }`;

/**
 * Our whole nftables table, replaced in one transaction: running flows keep their way.
 *
 * The LAN's TCP goes to the engine by tproxy, except to the box itself, to private networks and to the relay; a connection
 * that began direct stays direct. If nothing listens, tproxy does not match, and the reject behind it refuses at once
 * instead of letting traffic leak past the bond. While IPv6 is forwarded here, the LAN's IPv6 TCP is refused at once too, so
 * that hosts fall back to IPv4 and the bond. The rest of the LAN leaves an uplink behind its address.
 */
export function ruleset(config: BoxConfig, uplinks: readonly ResolvedUplink[], forwardsIpv6: boolean): Ruleset {
  const lan = quoted(config.lan.interfaces);
  const lines = quoted([...new Set(uplinks.map((uplink) => uplink.interface))]);
  const intercept = (fingerprint: string): string[] => [
    `iifname != ${lan} accept`,
    'meta l4proto != tcp accept',
    ...(forwardsIpv6
      ? [
          'meta nfproto ipv6 fib daddr type != local ip6 daddr != @direct6 meta l4proto tcp counter reject with tcp reset',
        ]
      : []),
    'meta nfproto ipv6 accept',
    `meta l4proto tcp socket transparent 1 meta mark set meta mark & ${others} | ${intercepted} accept`,
    'fib daddr type local accept',
    'ip daddr @direct4 accept',
    `tcp flags & (fin|syn|rst|ack) != syn ct mark & ${mask} != ${intercepted} accept`,
    `meta l4proto tcp tproxy ip to 127.0.0.1:${interceptPort} ct mark set ct mark & ${others} | ${intercepted} ` +
      `meta mark set meta mark & ${others} | ${intercepted} counter accept`,
    `meta l4proto tcp counter reject with tcp reset${fingerprint}`,
  ];
  const forward = [`oifname ${lines} tcp flags & (syn|rst) == syn tcp option maxseg size set rt mtu`];
  const nat = [`meta nfproto ipv4 iifname ${lan} oifname ${lines} counter masquerade`];
  const direct4 = [...directNetworks, ...config.relay.addresses];
  const body = (fingerprint: string): string[] => [
    `  set direct4 { type ipv4_addr; flags interval; auto-merge; elements = { ${direct4.join(', ')} } }`,
    ...(forwardsIpv6
      ? [`  set direct6 { type ipv6_addr; flags interval; auto-merge; elements = { ${directNetworks6.join(', ')} } }`]
      : []),
    ...chain('intercept', 'type filter hook prerouting priority mangle; policy accept;', intercept(fingerprint)),
    ...chain('forward', 'type filter hook forward priority mangle; policy accept;', forward),
    ...chain('nat', 'type nat hook postrouting priority srcnat; policy accept;', nat),
  ];
  const fingerprint = `tresse ${hash(body('').join('\n'))}`;
  const text = [
    `table inet ${nftTable}`,
    `delete table inet ${nftTable}`,
    `table inet ${nftTable} {`,
    // On a rule: nft 1.0 does not list a table's comment as JSON.
    ...body(` comment "${fingerprint}"`),
    '}',
    '',
  ].join('\n');
  return { text, fingerprint, ruleCount: intercept('').length + forward.length + nat.length };
}

function chain(name: string, hook: string, rules: readonly string[]): string[] {
  return [`  chain ${name} {`, `    ${hook}`, ...rules.map((rule) => `    ${rule}`), '  }'];
}

/** FNV-1a over UTF-16 units, twice with different offsets: tells two texts of ours apart, protects against nothing. */
function hash(text: string): string {
  const half = (offset: number): string => {
    let value = offset;
    for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x0100_0193);
    return (value >>> 0).toString(16).padStart(8, '0');
  };
  return half(0x811c_9dc5) + half(0x5bd1_e995);
}
