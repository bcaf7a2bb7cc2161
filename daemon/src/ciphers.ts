import { readFileSync } from 'node:fs';

import type { Cipher } from '@tresse/schema';

/** The AEADs for a hello, the preferred first: AES where the CPU has instructions for it, ChaCha20 elsewhere. */
export function preferredCiphers(cpuinfo: string = cpuinfoText()): Cipher[] {
  const hasAes = /^(?:flags|Features)\s*:.*\baes\b/mu.test(cpuinfo);
  return hasAes ? ['aes-256-gcm', 'chacha20-poly1305'] : ['chacha20-poly1305', 'aes-256-gcm'];
}

function cpuinfoText(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
