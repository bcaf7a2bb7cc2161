import { UserError } from '@tresse/kit';
import { type InterfaceFact, readInterfaces } from '@tresse/plan';
import { ipWithin } from '@tresse/schema';
import { ip } from '@tresse/sys';

/** More than a few would only give every line of every box more paths to the same place. */
const addressesMax = 4;

/** Where boxes find this relay, from what the machine has. Throws UserError `NO_PUBLIC_ADDRESS`, CommandError. */
export async function ownPublicAddresses(remedy: string): Promise<string[]> {
  const found = publicAddresses(readInterfaces(await ip('addr', 'show')));
  if (found.length > 0) return found;
  throw new UserError(
    'NO_PUBLIC_ADDRESS',
    `This machine has no public address by which boxes could find it: ${remedy} (behind a router, the router's).`,
  );
}

/**
 * The addresses by which the internet can reach this machine: IPv4 first, at most four; not private, not of a carrier's
 * translation, and no IPv6 address that goes away by itself.
 */
export function publicAddresses(interfaces: readonly InterfaceFact[]): string[] {
  const found = interfaces
    .flatMap((one) => one.addresses)
    .filter((one) => one.lasting && !notPublic.some((network) => ipWithin(one.address, network)))
    .toSorted((a, b) => a.family - b.family || a.rank - b.rank);
  return [...new Set(found.map((one) => one.address))].slice(0, addressesMax);
}

/** Nobody outside reaches these (RFC 6890); the rest of IPv6 beside 2000::/3 is not given out. */
const notPublic = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/3',
  '4000::/2',
  '8000::/1',
];
