import { type BoxConfig, type Family, ipFamily, ipNetwork, ipWithin, type LanHost } from '@tresse/schema';

import type { Facts } from './facts.ts';
import { isText } from './json.ts';
import type { ResolvedUplink } from './uplink.ts';

/** Hosts of the LAN to which the relay may lead ports. */
export interface Publishable {
  /** Networks as `192.168.7.0/24`, each with the interface by which its hosts are reached; without one the main table says. */
  readonly networks: readonly { readonly network: string; readonly interface?: string }[];
  /** Networks and addresses that are none of these hosts'. */
  readonly except: readonly string[];
}

/** A UDP port of the relay that leads to a host of the LAN, of one family. */
export interface PublishedUdp {
  readonly family: Family;
  readonly port: number;
  readonly host: LanHost;
  /** The host sees the box's address, not the client's; default false. */
  readonly hidden?: boolean;
}

/** What is no host of a LAN in any configuration. */
const never = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/127', 'fe80::/10', 'ff00::/8'];

/**
 * The hosts that a configuration lets be published on this machine. `lan` are those of the networks of the LAN's interfaces: where a line has a network of its own on the same
 * card that is left out. The box itself and its lines' gateways are none, unless named by their addresses.
 */
export function publishable(
  config: Pick<BoxConfig, 'publishable' | 'lan'>,
  { interfaces }: Pick<Facts, 'interfaces'>,
  uplinks: readonly ResolvedUplink[],
): Publishable {
  const { publishable: wanted } = config;
  const own = interfaces.flatMap((one) => one.addresses.map(({ address }) => address));
  const gateways = uplinks.flatMap((one) => one.addresses.flatMap(({ gateway }) => gateway ?? []));
  const named = typeof wanted === 'string' ? [] : wanted;
  const except = [...never, ...new Set([...own, ...gateways].filter((one) => !named.includes(one)))];
  if (wanted === 'none') return { networks: [], except };
  if (wanted !== 'lan') return { networks: wanted.map((one) => ({ network: one })), except };
  const networks = config.lan.interfaces.flatMap((name) => lanNetworks(name, interfaces, uplinks));
  return { networks, except };
}

function lanNetworks(
  name: string,
  interfaces: Facts['interfaces'],
  uplinks: readonly ResolvedUplink[],
): Publishable['networks'] {
  const card = interfaces.find((one) => one.name === name);
  const all = (card?.addresses ?? [])
    .filter(({ address, prefixLength, family }) => prefixLength < (family === 4 ? 32 : 128) && !isNever(address))
    .map(({ address, prefixLength }) => ipNetwork(address, prefixLength));
  const ofLines = new Set(
    uplinks.filter((one) => one.interface === name).flatMap((one) => one.addresses.map((a) => a.network)),
  );
  const apart = all.filter((network) => !ofLines.has(network));
  // One subnet for the household and its modems: its hosts are the LAN.
  const chosen = ([4, 6] as const).flatMap((family) => {
    const own = apart.filter((network) => ipFamily(network) === family);
    return own.length > 0 ? own : all.filter((network) => ipFamily(network) === family);
  });
  return [...new Set(chosen)].map((network) => ({ network, interface: name }));
}

const isNever = (address: string): boolean => never.some((network) => ipWithin(address, network));
const isIn = (address: string, network: string): boolean =>
  network.includes('/') ? ipWithin(address, network) : address === network;

/** Whether a valid address is that of a host which may be published. */
export function mayPublish({ networks, except }: Publishable, address: string): boolean {
  return networks.some(({ network }) => isIn(address, network)) && !except.some((one) => isIn(address, one));
}

/** A port as a comment of its rule says it, for {@link readPublished}. */
export const publishedComment = ({ port, host, hidden }: PublishedUdp): string =>
  `published ${port} ${host.address} ${host.port}${hidden ? ' hidden' : ''}`;

/** The ports whose rules carry these comments. */
export function readPublished(comments: readonly unknown[]): PublishedUdp[] {
  return comments.filter(isText).flatMap((comment) => {
    const [word, port, address = '', hostPort, hidden] = comment.split(' ');
    if (word !== 'published') return [];
    const host = { address, port: Number(hostPort) };
    return [{ family: ipFamily(address), port: Number(port), host, ...(hidden === 'hidden' && { hidden: true }) }];
  });
}
