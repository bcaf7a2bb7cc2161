import { z } from 'zod';

/** A validated IPv4 address as a number of 32 bits. */
function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** The network of an IPv4 address, as `10.0.1.0/24`. */
export function ipv4Network(address: string, prefixLength: number): string {
  const size = 2 ** (32 - prefixLength);
  const base = Math.floor(ipv4Number(address) / size) * size;
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256);
  return `${octets.join('.')}/${prefixLength}`;
}

/** Whether an address lies in a network written `10.0.1.0/24`. */
export function ipv4Within(address: string, network: string): boolean {
  const prefixLength = Number(network.split('/')[1]);
  return ipv4Network(address, prefixLength) === ipv4Network(network.split('/')[0] ?? '', prefixLength);
}

const hostAddress = (address: string): boolean => {
  const first = Number(address.split('.')[0]);
  return first !== 0 && first !== 127 && first < 224;
};

/** An IPv4 address a machine can have: not 0.x, loopback, multicast or above. */
export const ipv4Host = z
  .ipv4({ error: 'not an IPv4 address (write it as 192.0.2.1)', abort: true })
  .refine(hostAddress, { error: 'no machine can have this address (it is loopback, multicast or reserved)' })
  .meta({ title: 'IPv4 address' });

/** An IPv4 network in CIDR form with no host bits set. */
export const ipv4Cidr = z
  .cidrv4({ error: 'not an IPv4 network (write it as 192.168.7.0/24)', abort: true })
  .refine((text) => ipv4Network(text.split('/')[0] ?? '', Number(text.split('/')[1])) === text, {
    error: 'bits are set behind the prefix (write the network, as in 192.168.7.0/24, not an address in it)',
  })
  .meta({ title: 'IPv4 network, as 10.20.0.0/16' });

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
