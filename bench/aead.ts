/** Sealing and opening a record: OpenSSL called directly, against the same OpenSSL through node:crypto. */
import { createCipheriv, createDecipheriv } from 'node:crypto';

import { SystemError } from '@tresse/kit';
import { bestAead, type Cipher, nativeSlab, randomBytes } from '@tresse/sys';

import { byTurns, median, nanosecondsPer } from './contest.ts';
import { printTable, ratio, shown } from './table.ts';

const sizes: readonly number[] = [64, 1_400, 16_384, 65_536];
const ciphers: readonly Cipher[] = ['aes-256-gcm', 'chacha20-poly1305'];
const rounds = 5;
const turnMs = 40;
const headerBytes = 4;
const tagBytes = 16;

/** Seals and opens one record of that size in place, as a strand does. */
function direct(cipher: Cipher, size: number): () => void {
  const aead = bestAead(cipher);
  const key = aead.key(randomBytes(32));
  const slab = nativeSlab(headerBytes + size + tagBytes);
  let counter = 0;
  return () => {
    aead.seal(key, counter, slab, 0, headerBytes, headerBytes, size);
    if (!aead.open(key, counter++, slab, 0, headerBytes, headerBytes, size)) {
      throw new SystemError('BENCH', 'what was sealed does not open');
    }
  };
}

/** The same by node:crypto, at its best: nothing is copied that need not be. */
function byNode(cipher: Cipher, size: number): () => void {
  const key = randomBytes(32);
  const header = new Uint8Array(headerBytes);
  const text = new Uint8Array(size);
  const nonce = new Uint8Array(12);
  const nonceView = new DataView(nonce.buffer);
  let counter = 0;
  return () => {
    nonceView.setUint32(8, counter++);
    // The types know ChaCha20 apart from GCM; both take these calls.
    const name = cipher as 'aes-256-gcm';
    const seal = createCipheriv(name, key, nonce, { authTagLength: tagBytes });
    seal.setAAD(header, { plaintextLength: size });
    const sealed = seal.update(text);
    seal.final();
    const open = createDecipheriv(name, key, nonce, { authTagLength: tagBytes });
    open.setAAD(header, { plaintextLength: size });
    open.setAuthTag(seal.getAuthTag());
    open.update(sealed);
    open.final();
  };
}

async function rowOf(cipher: Cipher, size: number): Promise<string[]> {
  const contestants = [direct(cipher, size), byNode(cipher, size)];
  const results = await byTurns(
    contestants.map((work) => () => nanosecondsPer(work, turnMs)),
    rounds,
  );
  const [own = Number.NaN, other = Number.NaN] = results.map((figures) => median(figures) / 1e3);
  const gbps = (size * 8) / (own * 1e3);
  return [`${cipher} ${size} B`, shown(own), shown(other), shown(gbps), ratio(other, own)];
}

/** Runs and prints it. */
export async function sealing(): Promise<void> {
  const rows: string[][] = [];
  for (const cipher of ciphers) {
    // oxlint-disable-next-line no-await-in-loop -- measured one after another
    for (const size of sizes) rows.push(await rowOf(cipher, size));
  }
  const head = ['', 'direct us', 'node:crypto us', 'direct Gbit/s', 'faster'];
  printTable('AEAD: seal and open one record', head, rows);
}
