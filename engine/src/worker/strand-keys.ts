/**
 * Keys of one strand, one per direction, from the session's secret and the salt of its opening: no counter or list has to
 * survive a restart of anything (docs/protocol.md, "Keys").
 */
import { type Aead, type AeadKey, hkdf } from '@tresse/sys';

const keyBytes = 32;

export interface StrandKeys {
  /** Box to relay. Counter 0 seals the opening, records follow from 1. */
  readonly up: AeadKey;
  /** Relay to box, from 0. */
  readonly down: AeadKey;
}

export function strandKeys(aead: Aead, secret: Uint8Array, salt: Uint8Array): StrandKeys {
  const one = (info: string): AeadKey => {
    const derived = hkdf(secret, salt, info, keyBytes);
    const key = aead.key(derived);
    derived.fill(0);
    return key;
  };
  return { up: one('tresse v1 strand up'), down: one('tresse v1 strand down') };
}
