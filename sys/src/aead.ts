import { type Aead, type Cipher } from './aead-form.ts';
import { NodeAead } from './aead-node.ts';
import { OpenSslAead } from './aead-openssl.ts';

/** AEAD by the OpenSSL inside Node, called directly: no object per record. Slabs must be native. Throws SystemError `SYMBOL_MISSING`. */
export function openSslAead(cipher: Cipher): Aead {
  return new OpenSslAead(cipher);
}

/** AEAD by `node:crypto`: slower, works anywhere. */
export function nodeAead(cipher: Cipher): Aead {
  return new NodeAead(cipher);
}

/** The faster one that works here. */
export function bestAead(cipher: Cipher): Aead {
  try {
    return openSslAead(cipher);
  } catch {
    return nodeAead(cipher);
  }
}
