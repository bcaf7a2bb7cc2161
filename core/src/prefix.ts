/** A network of either family: the first `bits` of its 4 or 16 bytes. */
export interface Prefix {
  readonly address: Uint8Array;
  readonly bits: number;
}

/** Whether an address lies in a network; never in one of the other family. */
export function within(address: Uint8Array, prefix: Prefix): boolean {
  return address.length === prefix.address.length && withinAt(address, 0, prefix);
}

/** Whether the address that begins at `at` lies in a network, which must be of its family. Allocates nothing. */
export function withinAt(bytes: Uint8Array, at: number, prefix: Prefix): boolean {
  let bits = prefix.bits;
  for (let i = 0; bits > 0; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
    if (((bytes[at + i] ?? 0) & mask) !== ((prefix.address[i] ?? 0) & mask)) return false;
  }
  return true;
}
