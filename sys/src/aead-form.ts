/** What both implementations of {@link Aead} share: the form, its sizes and its checks. */
import { BugError, type Parts, type Slab } from '@tresse/kit';

export type Cipher = 'aes-256-gcm' | 'chacha20-poly1305';

export const AEAD_KEY_BYTES = 32;
/** Behind every sealed text. */
export const AEAD_TAG_BYTES = 16;
export const nonceBytes = 12;

/** A key of one direction; made by {@link Aead.key} and used with that Aead only. */
export interface AeadKey {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** 0 where nothing native sees it. */
  readonly address: number;
}

/**
 * Authenticated encryption in place. The nonce is four zero bytes and the counter in 64 bits, big-endian: the caller never uses a counter twice
 * under one key. Two implementations pass one compliance suite. Not to be shared between threads.
 */
export interface Aead {
  readonly name: Cipher;
  /** Copies 32 bytes to a key. Throws BugError `AEAD_KEY`. */
  key(secret: Uint8Array): AeadKey;
  /** Overwrites a key that is no longer needed. */
  eraseKey(key: AeadKey): void;
  /**
   * Encrypts `slab.bytes[textStart, textStart + textLength)` in place and writes the 16-byte tag right behind it. `counter` is a whole number
   * below 2^53. What of the text stands in `parts` is taken from there and not changed. Throws BugError `AEAD_RANGE` when something lies
   * outside the slab, or the parts outside the text.
   */
  seal(
    key: AeadKey,
    counter: number,
    slab: Slab,
    aadStart: number,
    aadLength: number,
    textStart: number,
    textLength: number,
    parts?: Parts,
  ): void;
  /** Decrypts in place, the tag being right behind the text. Returns false when the tag is wrong; the text is then all zeros. Throws as `seal`. */
  open(
    key: AeadKey,
    counter: number,
    slab: Slab,
    aadStart: number,
    aadLength: number,
    textStart: number,
    textLength: number,
  ): boolean;
}

/** Throws BugError `AEAD_RANGE` unless both pieces and the tag lie inside the slab: native code would write anywhere. */
export function checkRange(
  slab: Slab,
  counter: number,
  aadStart: number,
  aadLength: number,
  textStart: number,
  textLength: number,
): void {
  const size = slab.bytes.length;
  const inside =
    aadStart >= 0 &&
    aadLength >= 0 &&
    aadStart + aadLength <= size &&
    textStart >= 0 &&
    textLength >= 0 &&
    textStart + textLength + AEAD_TAG_BYTES <= size;
  // Written so that NaN fails too.
  if (inside && counter >= 0 && counter <= Number.MAX_SAFE_INTEGER) return;
  throw new BugError(
    'AEAD_RANGE',
    `aad ${aadStart}+${aadLength}, text ${textStart}+${textLength} or counter ${counter} out of range of ${size} bytes`,
  );
}

/** Throws BugError `AEAD_RANGE` unless the parts belong inside the text. */
export function checkParts(parts: Parts, textStart: number, textLength: number): void {
  if (parts.at >= textStart && parts.at + parts.bytes <= textStart + textLength) return;
  throw new BugError('AEAD_RANGE', `parts ${parts.at}+${parts.bytes} outside the text ${textStart}+${textLength}`);
}

/** Throws BugError `AEAD_KEY` unless the secret has 32 bytes. */
export function checkKey(secret: Uint8Array): void {
  if (secret.length !== AEAD_KEY_BYTES) {
    throw new BugError('AEAD_KEY', `a key has ${AEAD_KEY_BYTES} bytes, not ${secret.length}`);
  }
}

/** Writes the counter into a 12-byte nonce whose first four bytes are zero. */
export function counterInto(nonce: DataView, counter: number): void {
  nonce.setUint32(4, Math.floor(counter / 0x1_0000_0000));
  nonce.setUint32(8, counter >>> 0);
}
