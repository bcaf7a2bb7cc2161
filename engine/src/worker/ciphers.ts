import { type Aead, bestAead, type Cipher } from '@tresse/sys';

const made = new Map<Cipher, Aead>();

/** The thread's one AEAD of a cipher: its native contexts live as long as the thread. */
export function aeadOf(cipher: Cipher): Aead {
  let aead = made.get(cipher);
  if (!aead) {
    aead = bestAead(cipher);
    made.set(cipher, aead);
  }
  return aead;
}
