/**
 * Keys of the packet lane, one per direction, from the secret of a handshake (docs/protocol.md, "Datagrams"): every start of an engine is
 * a new handshake, so that no count outlives its key.
 */
import type { Aead, AeadKey } from '@tresse/sys';

import { directionKeys } from './direction-keys.ts';

/** The first, and so far the only, keys made of a secret. */
export const firstKeyNumber = 1;

export interface PacketKeys {
  /** Box to relay. */
  readonly up: AeadKey;
  /** Relay to box. */
  readonly down: AeadKey;
}

export function packetKeys(aead: Aead, secret: Uint8Array, number: number): PacketKeys {
  const salt = Uint8Array.of(number >>> 8, number & 0xff);
  return directionKeys(aead, secret, salt, 'packet');
}
