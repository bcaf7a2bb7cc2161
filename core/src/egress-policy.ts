/**
 * Where a relay connects for a box: never to itself, to its own networks or to anything that is no public address, in
 * whatever form it is written, unless an operator's route allows it. IANA special-purpose registries (RFC 6890).
 */

interface Prefix {
  readonly address: Uint8Array;
  readonly bits: number;
}

const v4 = (a: number, b: number, c: number, d: number, bits: number): Prefix => ({
  address: Uint8Array.of(a, b, c, d),
  bits,
});

const specialV4: readonly Prefix[] = [
  v4(0, 0, 0, 0, 8),
  v4(10, 0, 0, 0, 8),
  v4(100, 64, 0, 0, 10),
  v4(127, 0, 0, 0, 8),
  v4(169, 254, 0, 0, 16),
  v4(172, 16, 0, 0, 12),
  v4(192, 168, 0, 0, 16),
  v4(224, 0, 0, 0, 3),
];

const v6 = (bits: number, ...head: number[]): Prefix => {
  const address = new Uint8Array(16);
  address.set(head);
  return { address, bits };
};

const specialV6: readonly Prefix[] = [v6(127), v6(7, 0xfc), v6(10, 0xfe, 0x80), v6(10, 0xfe, 0xc0), v6(8, 0xff)];

/** Prefixes whose last 32 bits are an IPv4 address: mapped, compatible, NAT64 (RFC 6052, RFC 8215), and 6to4 at bit 16. */
const embedding: readonly { readonly prefix: Prefix; readonly at: number }[] = [
  { prefix: v6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), at: 12 },
  { prefix: v6(96), at: 12 },
  { prefix: v6(96, 0, 0x64, 0xff, 0x9b), at: 12 },
  { prefix: v6(48, 0, 0x64, 0xff, 0x9b, 0, 1), at: 12 },
  { prefix: v6(16, 0x20, 0x02), at: 2 },
];

function within(address: Uint8Array, prefix: Prefix): boolean {
  if (address.length !== prefix.address.length) return false;
  let bits = prefix.bits;
  for (let i = 0; bits > 0; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
    if (((address[i] ?? 0) & mask) !== ((prefix.address[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** Says where a stream may lead. Own addresses and allowed prefixes are 4 or 16 bytes long. */
export class EgressPolicy {
  readonly #own: readonly Uint8Array[];
  readonly #allowed: readonly Prefix[];

  constructor(own: readonly Uint8Array[], allowed: readonly Prefix[]) {
    this.#own = own;
    this.#allowed = allowed;
  }

  allows(address: Uint8Array): boolean {
    if (this.#own.some((o) => within(address, { address: o, bits: o.length * 8 }))) return false;
    if (this.#allowed.some((p) => within(address, p))) return true;
    if (address.length === 4) return !specialV4.some((p) => within(address, p));
    if (specialV6.some((p) => within(address, p))) return false;
    for (const { prefix, at } of embedding) {
      if (within(address, prefix)) return this.allows(address.subarray(at, at + 4));
    }
    return true;
  }
}
