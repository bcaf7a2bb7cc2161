/**
 * Keys of the packet lane, one per direction, from the secret of a handshake and the number the two sides give it
 * (docs/protocol.md, "Datagrams"): every start of an engine is a new handshake, so that no count outlives its key.
 */
import { type Aead, type AeadKey, hkdf } from '@tresse/sys';

const keyBytes = 32;

export interface PacketKeys {
  /** Box to relay. */
  readonly up: AeadKey;
  /** Relay to box. */
  readonly down: AeadKey;
}

export function packetKeys(aead: Aead, secret: Uint8Array, number: number): PacketKeys {
  const salt = Uint8Array.of(number >>> 8, number & 0xff);
  const one = (info: string): AeadKey => {
    const derived = hkdf(secret, salt, info, keyBytes);
    const key = aead.key(derived);
    derived.fill(0);
    return key;
  };
  return { up: one('tresse v1 packet up'), down: one('tresse v1 packet down') };
}
