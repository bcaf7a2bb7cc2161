/**
 * Keys of one strand, one per direction, from the session's secret and the salt of its opening: no counter or list has to
 * survive a restart of anything (docs/protocol.md, "Keys").
 */
import type { Aead, AeadKey } from '@tresse/sys';

import { directionKeys } from './direction-keys.ts';

export interface StrandKeys {
  /** Box to relay. Counter 0 seals the opening, records follow from 1. */
  readonly up: AeadKey;
  /** Relay to box, from 0. */
  readonly down: AeadKey;
}

export function strandKeys(aead: Aead, secret: Uint8Array, salt: Uint8Array): StrandKeys {
  return directionKeys(aead, secret, salt, 'strand');
}
