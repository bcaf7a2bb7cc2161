/**
 * Where a relay connects for a box: never to itself, to its own networks or to anything that is no public address, in
 * whatever form it is written, unless an operator's route allows it. After the IANA registries of special-purpose addresses
 * (RFC 6890 and what was added since). The ranges for documentation stay open: nobody lives there, and labs use them as the
 * internet.
 */
import { type Prefix, within } from './prefix.ts';

const v4 = (bits: number, ...head: number[]): Prefix => {
  const address = new Uint8Array(4);
  address.set(head);
  return { address, bits };
};

const specialV4: readonly Prefix[] = [
  v4(8), // this host, this network: Linux connects 0.0.0.0 to itself
  v4(8, 10),
  v4(10, 100, 64), // carriers' NAT; a cloud's metadata at 100.100.100.200
  v4(8, 127),
  v4(32, 168, 63, 129, 16), // a cloud's metadata, although it looks public
  v4(16, 169, 254), // link-local; clouds' metadata at 169.254.169.254
  v4(12, 172, 16),
  v4(24, 192, 0, 0), // protocol assignments; a cloud's metadata at 192.0.0.192
  v4(24, 192, 88, 99), // 6to4's relays, given up (RFC 7526)
  v4(16, 192, 168),
  v4(15, 198, 18), // benchmarks
  v4(3, 224), // multicast, reserved, broadcast
];

const v6 = (bits: number, ...head: number[]): Prefix => {
  const address = new Uint8Array(16);
  address.set(head);
  return { address, bits };
};

/**
 * Everything public lies in 2000::/3. What is outside (loopback, unique and link-local, site-local, multicast, discard-only,
 * segment identifiers, IPv4-compatible and -translated, a network's own NAT64 prefix, and whatever will be invented there)
 * is refused without being named.
 */
const globalUnicast: Prefix = v6(3, 0x20);

/** Within it: protocol assignments, Teredo, benchmarks and overlays among them. */
const specialV6: readonly Prefix[] = [v6(23, 0x20, 0x01)];

interface Embedding {
  readonly prefix: Prefix;
  /** Where the IPv4 address stands, byte. */
  readonly at: number;
}

/** Addresses that lead to an IPv4 address: mapped, NAT64 (RFC 6052), 6to4. They are as public as what they lead to. */
const leading: readonly Embedding[] = [
  { prefix: v6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), at: 12 },
  { prefix: v6(96, 0, 0x64, 0xff, 0x9b), at: 12 },
  { prefix: v6(16, 0x20, 0x02), at: 2 },
];

/** The IPv4 address an IPv6 address leads to, or undefined. */
function embedded(address: Uint8Array): Uint8Array | undefined {
  const found = leading.find(({ prefix }) => within(address, prefix));
  return found && address.subarray(found.at, found.at + 4);
}

/** Whether an address, or what it leads to, lies in one of these. */
function isIn(address: Uint8Array, prefixes: readonly Prefix[]): boolean {
  const inner = embedded(address);
  return prefixes.some((p) => within(address, p) || (inner !== undefined && within(inner, p)));
}

/** Whether an address is reachable from everywhere, as far as its number tells. */
function isPublic(address: Uint8Array): boolean {
  if (address.length === 4) return !specialV4.some((p) => within(address, p));
  const inner = embedded(address);
  if (inner) return isPublic(inner);
  return within(address, globalUnicast) && !specialV6.some((p) => within(address, p));
}

/** Networks no relay leads into unless it is told to, as text; of IPv6 beside everything that is not 2000::/3. For packets, which the kernel looks at. */
export const specialNetworks: Readonly<Record<4 | 6, readonly string[]>> = {
  4: specialV4.map(({ address, bits }) => `${address.join('.')}/${bits}`),
  // 6to4 leads to an IPv4 address, of whatever kind.
  6: ['2001::/23', '2002::/16'],
};

/** Says where a stream may lead. Own addresses and allowed prefixes are 4 or 16 bytes long. */
export class EgressPolicy {
  readonly #own: readonly Prefix[];
  readonly #allowed: readonly Prefix[];

  constructor(own: readonly Uint8Array[], allowed: readonly Prefix[]) {
    this.#own = own.map((address) => ({ address, bits: address.length * 8 }));
    this.#allowed = allowed;
  }

  /** True where the relay may connect to this address of 4 or 16 bytes. */
  allows(address: Uint8Array): boolean {
    if (isIn(address, this.#own)) return false;
    return this.isRouted(address) || isPublic(address);
  }

  /** True where a route of the operator's names the address. */
  isRouted(address: Uint8Array): boolean {
    return isIn(address, this.#allowed);
  }
}
