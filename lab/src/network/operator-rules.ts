import type { LineSpec } from '../scenario/scenario.ts';

/** Where an operator's transparent proxy listens; not to be reached from elsewhere, so any port will do. */
export const proxyPort = 9_040;
/** Of packets for the proxy, and of the table that hands them to it; nothing else in an operator's namespace has one. */
const proxyMark = 1;
const proxyTable = 100;

/** For `ip -batch`: packets for the proxy are the operator's own, whatever their address. */
export const proxyRoutes = [
  `rule add fwmark ${proxyMark} lookup ${proxyTable}`,
  `route add local default dev lo table ${proxyTable}`,
];

/** What an operator does to its subscriber's packets, for `nft -f`. */
export function operatorRules(line: LineSpec, access: string): string {
  const proxy = `
  chain proxy {
    type filter hook prerouting priority mangle; policy accept;
    iifname "${access}" meta l4proto tcp tproxy to :${proxyPort} meta mark set ${proxyMark} accept
  }`;
  // A router that knows no mapping for a packet has nobody to tell: no reset, no ICMP.
  const forgetful = `
  chain unknown {
    type filter hook forward priority filter; policy accept;
    ct state invalid drop
  }
  chain unknown_from_outside {
    type filter hook input priority filter; policy accept;
    iifname "core" meta l4proto tcp ct state { new, invalid } drop
  }`;
  return `table ip operator {
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "core" masquerade
  }${line.proxy ? proxy : ''}${line.nat ? forgetful : ''}
}`;
}

/**
 * For `nft -f`: from now on the subscriber is seen under this address and these ports. What comes to an address he had before, or to a
 * port nobody has, is nobody's: no reset, no ICMP.
 */
export function reboundRules({ address, ports }: { address: string; ports: string }): string {
  return `flush chain ip operator out
add rule ip operator out oifname "core" meta l4proto { tcp, udp } snat to ${address}:${ports}
add rule ip operator out oifname "core" snat to ${address}
add chain ip operator rebound { type filter hook input priority filter; policy accept; }
flush chain ip operator rebound
add rule ip operator rebound iifname "core" ct state { new, invalid } drop`;
}

/** While this is there the proxy is not: nothing that it or its kernel says leaves, and nothing comes to it. */
export const proxyGone = `table ip proxy_gone {
  chain in {
    type filter hook prerouting priority raw; policy accept;
    meta l4proto tcp drop
  }
  chain out {
    type filter hook output priority raw; policy accept;
    meta l4proto tcp drop
  }
}`;

/** Takes {@link proxyGone} away. */
export const proxyBack = 'delete table ip proxy_gone';
