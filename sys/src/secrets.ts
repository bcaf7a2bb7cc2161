import { hkdfSync, randomBytes as randomBuffer } from 'node:crypto';

/**
 * Derives `length` bytes from a secret: HKDF with SHA-256 (RFC 5869). `info` is ASCII text that names the purpose.
 */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: string, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, length));
}

/** Unpredictable bytes from the operating system, in memory of their own. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBuffer(length));
}
