import type { Cipher } from '@tresse/schema';
import { bestAead, monotonicMs, nativeSlab } from '@tresse/sys';

/** A record as a transfer fills it, and how often it is sealed: a few milliseconds in all. */
const recordBytes = 65_536;
const tagBytes = 16;
const rounds = 5;
const sealsPerRound = 4;
/** ChaCha20 must be this much faster: where both are about as fast, all boxes and relays shall take the same. */
const clearly = 1.25;

/** How long an AEAD takes to seal a record, ms; the shortest of some rounds, for others use the CPU too. */
function sealMs(cipher: Cipher): number {
  const aead = bestAead(cipher);
  const slab = nativeSlab(recordBytes + tagBytes);
  const key = aead.key(new Uint8Array(32));
  let shortestMs = Infinity;
  for (let round = 0; round < rounds; round++) {
    const beganMs = monotonicMs();
    for (let i = 0; i < sealsPerRound; i++) aead.seal(key, round * sealsPerRound + i, slab, 0, 4, 4, recordBytes - 4);
    shortestMs = Math.min(shortestMs, (monotonicMs() - beganMs) / sealsPerRound);
  }
  aead.eraseKey(key);
  return shortestMs;
}

/** The AEADs for a hello, the preferred first: AES unless this CPU is clearly faster with ChaCha20 (it lacks AES instructions). */
export function rankedCiphers(measure: (cipher: Cipher) => number = sealMs): Cipher[] {
  const hasAes = measure('aes-256-gcm') < clearly * measure('chacha20-poly1305');
  return hasAes ? ['aes-256-gcm', 'chacha20-poly1305'] : ['chacha20-poly1305', 'aes-256-gcm'];
}

let ranked: readonly Cipher[] | undefined;

/** {@link rankedCiphers}, measured once. */
export function preferredCiphers(): Cipher[] {
  ranked ??= rankedCiphers();
  return [...ranked];
}

/**
 * What a session uses, by both sides' lists, the preferred first; undefined when they have nothing in common. ChaCha20 where
 * either prefers it: a CPU with AES instructions does well with it, one without does badly with AES.
 */
export function agreedCipher(ours: readonly Cipher[], theirs: readonly string[]): Cipher | undefined {
  const common = ours.filter((one) => theirs.includes(one));
  return common.find((one) => one === 'chacha20-poly1305' && (ours[0] === one || theirs[0] === one)) ?? common[0];
}
