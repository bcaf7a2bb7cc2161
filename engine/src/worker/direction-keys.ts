import { type Aead, type AeadKey, hkdf } from '@tresse/sys';

const keyBytes = 32;

/** A key for each direction of a purpose (docs/protocol.md, "Keys" and "Datagrams"); what they were made of is erased. */
export function directionKeys(
  aead: Aead,
  secret: Uint8Array,
  salt: Uint8Array,
  purpose: 'strand' | 'packet',
): { up: AeadKey; down: AeadKey } {
  const one = (direction: 'up' | 'down'): AeadKey => {
    const derived = hkdf(secret, salt, `tresse v1 ${purpose} ${direction}`, keyBytes);
    const key = aead.key(derived);
    derived.fill(0);
    return key;
  };
  return { up: one('up'), down: one('down') };
}
