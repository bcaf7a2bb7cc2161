import { createHash, type Hash } from 'node:crypto';

import { Prng } from '@tresse/kit';

/** The pattern's length is prime, so bytes put down in the wrong place (by any multiple of a chunk) never match. */
const patternBytes = 4_194_301;

/**
 * The bytes of every file of the lab: a seeded pattern, repeated. Made once, so that serving costs a copy by the kernel and
 * nothing else.
 */
export class Content {
  /** The pattern twice: a slice that begins anywhere in the first half is in one piece. */
  readonly #twice: Buffer;

  constructor(seed: number) {
    const pattern = Buffer.alloc(patternBytes);
    new Prng(seed).fill(pattern);
    this.#twice = Buffer.concat([pattern, pattern]);
  }

  /** A view of at most `length` bytes of the file from the offset on (at most one pattern's length). */
  slice(offset: number, length: number): Buffer {
    const start = offset % patternBytes;
    return this.#twice.subarray(start, start + Math.min(length, patternBytes));
  }

  /** A copy of the first bytes of the file. */
  first(bytes: number): Buffer {
    const copy = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += patternBytes) this.slice(at, bytes - at).copy(copy, at);
    return copy;
  }

  /** SHA-256 of the first bytes of the file, in hex. */
  sha256(bytes: number): string {
    const hash = createHash('sha256');
    for (let at = 0; at < bytes; at += patternBytes) hash.update(this.slice(at, bytes - at));
    return hash.digest('hex');
  }
}

/** Compares what arrives with the content, byte for byte, and hashes it. */
export class ContentCheck {
  readonly #content: Content;
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;
  #wrongAt = -1;

  constructor(content: Content) {
    this.#content = content;
  }

  take(piece: Buffer): void {
    this.#hash.update(piece);
    for (let done = 0; done < piece.length && this.#wrongAt < 0;) {
      const wanted = this.#content.slice(this.#bytes + done, piece.length - done);
      const got = piece.subarray(done, done + wanted.length);
      if (!got.equals(wanted)) this.#wrongAt = this.#bytes + done + firstDifference(got, wanted);
      done += wanted.length;
    }
    this.#bytes += piece.length;
  }

  /** Where the first wrong byte was; -1 where all were right. */
  get wrongAt(): number {
    return this.#wrongAt;
  }

  /** SHA-256 of all that came, in hex. May be asked once. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

function firstDifference(a: Buffer, b: Buffer): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}
