/** What the box can tell of a LAN host's connection before its first byte. */
import type { StreamHints } from '@tresse/core';
import { ErrnoError, peerName, receivedTrafficClass } from '@tresse/sys';

/** The host's DSCP and number; nothing where the connection has gone. `dialled` is the address it asked for. */
export function hintsOf(fd: number, dialled: string): StreamHints {
  try {
    return {
      dscp: receivedTrafficClass(fd, dialled.includes(':') ? 6 : 4) >>> 2,
      host: hostNumber(peerName(fd).address),
    };
  } catch (error) {
    if (error instanceof ErrnoError) return {};
    throw error;
  }
}

/** A number between 1 and 255 for an address; two may share one, and then share its turns (FNV-1a). */
export function hostNumber(address: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
  return ((hash >>> 0) % 255) + 1;
}
