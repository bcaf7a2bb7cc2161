import { z } from 'zod';

import { ipNetwork, ipOctets, ipText, ipWithin } from './ip.ts';

const canonical = (text: string): string => ipText(ipOctets(text) ?? []);

const nobodys = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/96', '::ffff:0:0/96', 'ff00::/8'];
const linkLocal = 'fe80::/10';

const ip = z.string().refine((text) => ipOctets(text) !== undefined, {
  error: ({ input }) => `"${String(input)}": not an IP address (write it as 192.0.2.1 or 2001:db8::1)`,
  abort: true,
});

const usable = ip
  .refine((address) => !nobodys.some((network) => ipWithin(address, network)), {
    error: 'no machine can have this address (it is loopback, multicast or reserved)',
  })
  .overwrite(canonical);

/** The address of a router on a link: like {@link ipHost}, and link-local IPv6 too. In its one canonical text. */
export const ipGateway = usable.meta({ title: 'IP address' });

/** An address of either family a machine can have: not 0.x, loopback, multicast, IPv4 written as IPv6, link-local IPv6. */
export const ipHost = usable
  .refine((address) => !ipWithin(address, linkLocal), { error: 'a link-local address is known on its own link only' })
  .meta({ title: 'IP address' });

/** A network of either family in CIDR form with no host bits set. */
export const ipCidr = z
  .string()
  .refine((text) => isCidr(text), {
    error: ({ input }) => `"${String(input)}": not an IP network (write it as 192.168.7.0/24 or 2001:db8:7::/48)`,
    abort: true,
  })
  .refine((text) => ipNetwork(baseOf(text), lengthOf(text)) === `${canonical(baseOf(text))}/${lengthOf(text)}`, {
    error: 'bits are set behind the prefix (write the network, as in 192.168.7.0/24, not an address in it)',
    abort: true,
  })
  .overwrite((text) => ipNetwork(baseOf(text), lengthOf(text)))
  .meta({ title: 'IP network, as 10.20.0.0/16 or fd00:7::/48' });

const baseOf = (text: string): string => text.split('/')[0] ?? '';
const lengthOf = (text: string): number => Number(text.split('/')[1]);

function isCidr(text: string): boolean {
  const octets = ipOctets(baseOf(text));
  return octets !== undefined && /^[^/]+\/\d{1,3}$/u.test(text) && lengthOf(text) <= octets.length * 8;
}

/** The name of a network interface: at most 15 octets, as Linux takes it. */
export const interfaceName = z
  .string()
  .regex(/^[^\s/:"*\\]{1,15}$/u, { error: 'not an interface name (1 to 15 characters, as `ip link` shows it)' })
  .meta({ title: 'name of a network interface, as `ip link` shows it' });

/**
 * Where relays listen for handshakes and strands unless told otherwise. Unassigned by IANA; not 443, where operators put
 * transparent proxies, and above 1023.
 */
export const relayPort = 7443;

/** A TCP port. */
export const port = z.int().min(1).max(65_535);
