/**
 * {@link Aead} by OpenSSL's EVP functions, which the Node binary exports. One context per direction and thread is made once; a key is set where it is another
 * than the last one (0.1 us), so that thousands of keys cost 32 bytes each.
 * https://docs.openssl.org/3.5/man3/EVP_EncryptInit/
 */
import { BugError, type Parts, type Slab, SystemError } from '@tresse/kit';

import {
  type Aead,
  AEAD_KEY_BYTES,
  AEAD_TAG_BYTES,
  type AeadKey,
  checkKey,
  checkParts,
  checkRange,
  type Cipher,
  counterInto,
  nonceBytes,
} from './aead-form.ts';
import { native } from './ffi.ts';
import { nativeSlab, wordSlab } from './slab.ts';

const GET_TAG = 0x10;
const SET_TAG = 0x11;

type Init = (context: number, cipher: number, engine: number, key: number, nonce: number) => number;
type Update = (context: number, out: number, outLength: number, input: number, length: number) => number;
type Final = (context: number, out: number, outLength: number) => number;

interface Evp {
  readonly newContext: () => number;
  readonly control: (context: number, command: number, argument: number, address: number) => number;
  readonly clearErrors: () => void;
  readonly sealInit: Init;
  readonly sealUpdate: Update;
  readonly sealFinal: Final;
  readonly openInit: Init;
  readonly openUpdate: Update;
  readonly openFinal: Final;
}

const init = '(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t)';
const update = '(uintptr_t, uintptr_t, uintptr_t, uintptr_t, int)';
const final = '(uintptr_t, uintptr_t, uintptr_t)';

let bound: Evp | undefined;

function evp(): Evp {
  bound ??= {
    newContext: native('uintptr_t EVP_CIPHER_CTX_new()'),
    control: native('int EVP_CIPHER_CTX_ctrl(uintptr_t, int, int, uintptr_t)'),
    clearErrors: native('void ERR_clear_error()'),
    sealInit: native(`int EVP_EncryptInit_ex${init}`),
    sealUpdate: native(`int EVP_EncryptUpdate${update}`),
    sealFinal: native(`int EVP_EncryptFinal_ex${final}`),
    openInit: native(`int EVP_DecryptInit_ex${init}`),
    openUpdate: native(`int EVP_DecryptUpdate${update}`),
    openFinal: native(`int EVP_DecryptFinal_ex${final}`),
  };
  return bound;
}

function cipherAddress(cipher: Cipher): number {
  const name = cipher === 'aes-256-gcm' ? 'EVP_aes_256_gcm' : 'EVP_chacha20_poly1305';
  return native(`uintptr_t ${name}()`)();
}

export class OpenSslAead implements Aead {
  readonly name: Cipher;
  readonly #evp: Evp = evp();
  readonly #sealContext: number;
  readonly #openContext: number;
  readonly #nonce = nativeSlab(nonceBytes);
  readonly #nonceView = new DataView(this.#nonce.bytes.buffer);
  readonly #outLength = wordSlab(1);
  readonly #zeroKey = nativeSlab(AEAD_KEY_BYTES);
  /** Whose keys the contexts hold. */
  #sealsWith: AeadKey | undefined;
  #opensWith: AeadKey | undefined;

  /** Throws SystemError `SYMBOL_MISSING` or `CIPHER_MISSING`. The two contexts stay for the thread's life: make few of these. */
  constructor(cipher: Cipher) {
    this.name = cipher;
    const { newContext, sealInit, openInit } = this.#evp;
    const type = cipherAddress(cipher);
    this.#sealContext = newContext();
    this.#openContext = newContext();
    const key = this.#zeroKey.address;
    const nonce = this.#nonce.address;
    if (
      sealInit(this.#sealContext, type, 0, key, nonce) !== 1 ||
      openInit(this.#openContext, type, 0, key, nonce) !== 1
    ) {
      throw new SystemError('CIPHER_MISSING', `this build of OpenSSL lacks ${cipher}`);
    }
  }

  key(secret: Uint8Array): AeadKey {
    checkKey(secret);
    const slab = nativeSlab(AEAD_KEY_BYTES);
    slab.bytes.set(secret);
    return slab;
  }

  eraseKey(key: AeadKey): void {
    key.bytes.fill(0);
    // The contexts hold what was made of the key used last.
    this.#sealsWith = undefined;
    this.#opensWith = undefined;
    this.#evp.sealInit(this.#sealContext, 0, 0, this.#zeroKey.address, this.#nonce.address);
    this.#evp.openInit(this.#openContext, 0, 0, this.#zeroKey.address, this.#nonce.address);
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
    this.#checkNative(slab, key);
    counterInto(this.#nonceView, counter);
    const { sealInit, sealUpdate, sealFinal, control } = this.#evp;
    const context = this.#sealContext;
    const length = this.#outLength.address;
    const text = slab.address + textStart;
    let done = sealInit(context, 0, 0, key === this.#sealsWith ? 0 : key.address, this.#nonce.address);
    if (done === 1) this.#sealsWith = key;
    if (aadLength > 0) done &= sealUpdate(context, 0, length, slab.address + aadStart, aadLength);
    if (parts !== undefined && parts.bytes > 0) done &= this.#sealAround(slab, textStart, textLength, parts);
    else if (textLength > 0) done &= sealUpdate(context, text, length, text, textLength);
    done &= sealFinal(context, text + textLength, length);
    done &= control(context, GET_TAG, AEAD_TAG_BYTES, text + textLength);
    if (done !== 1) throw new BugError('AEAD_SEAL', `OpenSSL refused to seal ${textLength} bytes`);
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
    this.#checkNative(slab, key);
    counterInto(this.#nonceView, counter);
    const { openInit, openUpdate, openFinal, control, clearErrors } = this.#evp;
    const context = this.#openContext;
    const length = this.#outLength.address;
    const text = slab.address + textStart;
    let done = openInit(context, 0, 0, key === this.#opensWith ? 0 : key.address, this.#nonce.address);
    if (done === 1) this.#opensWith = key;
    if (aadLength > 0) done &= openUpdate(context, 0, length, slab.address + aadStart, aadLength);
    if (textLength > 0) done &= openUpdate(context, text, length, text, textLength);
    done &= control(context, SET_TAG, AEAD_TAG_BYTES, text + textLength);
    done &= openFinal(context, text + textLength, length);
    if (done === 1) return true;
    slab.bytes.fill(0, textStart, textStart + textLength);
    // A record left in the thread's error queue would surface in an unrelated call of node:crypto.
    clearErrors();
    return false;
  }

  /** What stands before the parts, the parts, and what stands behind them. */
  #sealAround(slab: Slab, textStart: number, textLength: number, parts: Parts): number {
    checkParts(parts, textStart, textLength);
    const { sealUpdate } = this.#evp;
    const context = this.#sealContext;
    const length = this.#outLength.address;
    let to = slab.address + textStart;
    const head = parts.at - textStart;
    let done = head > 0 ? sealUpdate(context, to, length, to, head) : 1;
    to += head;
    for (let i = 0; i < parts.count; i++) {
      const from = parts.addressOf(i);
      const count = parts.lengthOf(i);
      if (from === 0) throw new BugError('AEAD_RANGE', 'this part has no address: make slabs by nativeSlab');
      if (count > 0) done &= sealUpdate(context, to, length, from, count);
      to += count;
    }
    const tail = textLength - head - parts.bytes;
    if (tail > 0) done &= sealUpdate(context, to, length, to, tail);
    return done;
  }

  #checkNative(slab: Slab, key: AeadKey): void {
    if (slab.address === 0 || key.address === 0) {
      throw new BugError('AEAD_RANGE', 'this memory has no address: make slabs by nativeSlab and keys by this Aead');
    }
  }
}
