import type { BoxConfig } from '@tresse/schema';

import type { ResolvedUplink } from './uplink.ts';

/** Missing where the kernel has no IPv6. */
const forwarding6 = 'net.ipv6.conf.all.forwarding';
const redirectsAll = 'net.ipv4.conf.all.send_redirects';

/** Values of sysctls by their names. */
export type Sysctls = Readonly<Record<string, string>>;

/** What {@link hasIpv6} and {@link forwardsIpv6} must be told. */
export const ipv6Sysctls: readonly string[] = [forwarding6];

/** Whether this kernel has IPv6. */
export const hasIpv6 = (before: Sysctls): boolean => before[forwarding6] !== undefined;

/** Whether this machine is a router for IPv6. */
export const forwardsIpv6 = (before: Sysctls): boolean => before[forwarding6] === '1';

/** The sysctls whose values {@link desiredSysctls} must be told, as they were before anything of ours. */
export function sysctlsWanted(config: Pick<BoxConfig, 'uplinks' | 'lan'>): string[] {
  const lines = lineInterfaces(config);
  return [
    forwarding6,
    'net.ipv4.conf.all.rp_filter',
    redirectsAll,
    ...lines.flatMap((name) => ['rp_filter', 'arp_ignore', 'arp_announce'].map((setting) => key(name, setting))),
    ...config.lan.interfaces.map((name) => forced6(name)),
    ...[...new Set([...config.lan.interfaces, ...lines])].flatMap((name) =>
      ['forwarding', 'send_redirects'].map((setting) => key(name, setting)),
    ),
  ];
}

/** A setting of one interface; the parts are told apart by slashes where its name holds a dot. */
export const interfaceSetting = (family: 'ipv4' | 'ipv6', name: string, setting: string): string =>
  name.includes('.') ? `net/${family}/conf/${name}/${setting}` : `net.${family}.conf.${name}.${setting}`;

const key = (name: string, setting: string): string => interfaceSetting('ipv4', name, setting);

/** Forwards a single interface's IPv6, since Linux 6.17. */
const forced6 = (name: string): string => interfaceSetting('ipv6', name, 'force_forwarding');

const lineInterfaces = (config: Pick<BoxConfig, 'uplinks'>): string[] => [
  ...new Set(config.uplinks.map((uplink) => uplink.interface)),
];

/**
 * - Forwarding for what is not bonded, on our interfaces alone: `ip_forward` would change more than it says, and not change
 *   all of it back. IPv6 has no such switch that is worth having: routers ignore router advertisements, and the lines would
 *   lose their addresses; so IPv6 is forwarded where the machine does so already, and from the LAN into the tunnel where the
 *   kernel can for single interfaces.
 * - Loose reverse-path filtering where it is strict: strict mode drops what comes back by any line but the main table's.
 * - Cards that share a subnet answer for their own address only: otherwise either answers for both, packets of one line come
 *   in by the other, and sockets bound to a card never see them.
 * - No redirects where LAN and lines, or two lines, share a card: hosts would be told to go past us.
 */
export function desiredSysctls(
  config: Pick<BoxConfig, 'uplinks' | 'lan'>,
  uplinks: readonly ResolvedUplink[],
  before: Sysctls,
  tunnel6 = false,
): Record<string, string> {
  const wanted: Record<string, string> = {};
  const want = (name: string, value: string): void => {
    if (before[name] !== undefined) wanted[name] = value;
  };
  const lines = lineInterfaces(config);
  for (const name of [...config.lan.interfaces, ...lines]) want(key(name, 'forwarding'), '1');
  if (tunnel6 && !forwardsIpv6(before)) for (const name of config.lan.interfaces) want(forced6(name), '1');
  for (const name of lines) {
    const own = before[key(name, 'rp_filter')];
    const effective = Math.max(Number(before['net.ipv4.conf.all.rp_filter'] ?? '0'), Number(own ?? '0'));
    if (effective === 1) want(key(name, 'rp_filter'), '2');
  }
  for (const name of neighbours(uplinks)) {
    want(key(name, 'arp_ignore'), '1');
    want(key(name, 'arp_announce'), '2');
  }
  const shared = [...config.lan.interfaces, ...config.uplinks.map((uplink) => uplink.interface)];
  const crowded = shared.filter((name, i) => shared.indexOf(name) !== i);
  for (const name of crowded) {
    // Either of the two is enough for the kernel to send them.
    want(redirectsAll, '0');
    want(key(name, 'send_redirects'), '0');
  }
  return wanted;
}

/** Cards that have an IPv4 network in common with another card of ours. */
function neighbours(uplinks: readonly ResolvedUplink[]): string[] {
  const networks = uplinks.flatMap((uplink) =>
    uplink.addresses.filter((one) => one.family === 4).map(({ network }) => ({ card: uplink.interface, network })),
  );
  return networks
    .filter((one) => networks.some((other) => other.card !== one.card && other.network === one.network))
    .map(({ card }) => card);
}
