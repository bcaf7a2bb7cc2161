import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto';

import type { Parts, Slab } from '@tresse/kit';

import {
  type Aead,
  AEAD_TAG_BYTES,
  type AeadKey,
  checkKey,
  checkParts,
  checkRange,
  type Cipher,
  counterInto,
  nonceBytes,
} from './aead-form.ts';

/** {@link Aead} by `node:crypto`, where OpenSSL's functions cannot be called directly. */
export class NodeAead implements Aead {
  readonly name: Cipher;
  readonly #nonce = new Uint8Array(nonceBytes);
  readonly #nonceView = new DataView(this.#nonce.buffer);

  constructor(cipher: Cipher) {
    this.name = cipher;
  }

  key(secret: Uint8Array): AeadKey {
    checkKey(secret);
    return { bytes: new Uint8Array(secret), address: 0 };
  }

  eraseKey(key: AeadKey): void {
    key.bytes.fill(0);
  }

  seal(
    key: AeadKey,
    counter: number,
    slab: Slab,
    aadStart: number,
    aadLength: number,
    textStart: number,
    textLength: number,
    parts?: Parts,
  ): void {
    checkRange(slab, counter, aadStart, aadLength, textStart, textLength);
    if (parts !== undefined && parts.bytes > 0) {
      checkParts(parts, textStart, textLength);
      parts.copyTo(slab.bytes);
    }
    counterInto(this.#nonceView, counter);
    const { bytes } = slab;
    const cipher = createCipheriv(this.name as CipherGCMTypes, key.bytes, this.#nonce, {
      authTagLength: AEAD_TAG_BYTES,
    });
    cipher.setAAD(bytes.subarray(aadStart, aadStart + aadLength), { plaintextLength: textLength });
    const end = textStart + textLength;
    const sealed = cipher.update(bytes.subarray(textStart, end));
    cipher.final();
    bytes.set(sealed, textStart);
    bytes.set(cipher.getAuthTag(), end);
  }

  open(
    key: AeadKey,
    counter: number,
    slab: Slab,
    aadStart: number,
    aadLength: number,
    textStart: number,
    textLength: number,
  ): boolean {
    checkRange(slab, counter, aadStart, aadLength, textStart, textLength);
    counterInto(this.#nonceView, counter);
    const { bytes } = slab;
    const end = textStart + textLength;
    const decipher = createDecipheriv(this.name as CipherGCMTypes, key.bytes, this.#nonce, {
      authTagLength: AEAD_TAG_BYTES,
    });
    decipher.setAAD(bytes.subarray(aadStart, aadStart + aadLength), { plaintextLength: textLength });
    decipher.setAuthTag(bytes.subarray(end, end + AEAD_TAG_BYTES));
    const opened = decipher.update(bytes.subarray(textStart, end));
    try {
      decipher.final();
    } catch {
      bytes.fill(0, textStart, end);
      return false;
    }
    bytes.set(opened, textStart);
    return true;
  }
}
