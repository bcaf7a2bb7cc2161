import type { StateDirectory, StateReader } from '@tresse/daemon';
import { UserError } from '@tresse/kit';
import { type BoxRegister, boxRegister, type RefusalCode } from '@tresse/schema';

import { readStateFile } from './state-file.ts';
import { hashOfToken } from './token-hash.ts';

const fileName = 'boxes.json';
/** Codes that wait to be used. */
const waitingMax = 256;
/** Boxes put out, the newest of them, are remembered to be told why. */
const revokedMax = 1_000;
/** A code used or expired is told from one that never was for so long. */
const keptAfterMs = 7 * 86_400_000;

type Entry = BoxRegister['boxes'][number];

const nobody: BoxRegister = { version: 1, boxes: [], revoked: [], tokens: [] };

/**
 * The boxes paired with this relay and the codes that wait for one, kept in the state directory. Every change is on disk before
 * it counts: what could not be written did not happen. Times are arguments, milliseconds since 1970 by the relay's clock.
 */
export class Register {
  readonly #directory: StateDirectory;
  #now: BoxRegister;
  #unsaved = false;

  /** Reads the file. Throws UserError `REGISTER_BROKEN`, `STATE_UNREADABLE`. */
  constructor(directory: StateDirectory) {
    this.#directory = directory;
    this.#now = readRegister(directory);
  }

  get boxes(): readonly Entry[] {
    return this.#now.boxes;
  }

  /** The paired box with this pin. */
  boxOf(pin: string): Entry | undefined {
    return this.#now.boxes.find((one) => one.pin === pin);
  }

  /** Whether a box with this pin was put out and not paired since. */
  isRevoked(pin: string): boolean {
    return this.#now.revoked.some((one) => one.pin === pin);
  }

  /** Notes a token that lets in one box until `expiresAtMs`. Throws UserError `CODES_MANY`, `STATE_UNWRITABLE`. */
  expect(token: string, name: string | undefined, expiresAtMs: number, nowMs: number): void {
    const tokens = this.#swept(nowMs);
    const waiting = tokens.filter((one) => one.usedBy === undefined && one.expiresAtMs > nowMs).length;
    if (waiting >= waitingMax) {
      throw new UserError(
        'CODES_MANY',
        `${waiting} pairing codes wait to be used already: let some of them expire first.`,
      );
    }
    const made = { hash: hashOfToken(token), expiresAtMs, ...(name !== undefined && { name }) };
    this.#commit({ ...this.#now, tokens: [...tokens, made] });
  }

  /**
   * A box that proved this pin brings a token. Returns its name from now on, or why not. The same box may bring its token
   * again: the answer to the first time may have been lost. `freeName` makes a name nobody has of the one wished for.
   * Throws UserError `STATE_UNWRITABLE`: then the token is as good as before.
   */
  redeem(
    token: string,
    pin: string,
    nowMs: number,
    freeName: (wished: string | undefined) => string,
  ): { name: string } | { refused: RefusalCode } {
    const hash = hashOfToken(token);
    const found = this.#now.tokens.find((one) => one.hash === hash);
    if (!found) return { refused: 'token-wrong' };
    const known = this.boxOf(pin);
    if (found.usedBy !== undefined) {
      return found.usedBy === pin && known ? { name: known.name } : { refused: 'token-used' };
    }
    if (nowMs >= found.expiresAtMs) return { refused: 'token-expired' };
    const others = this.#now.boxes.filter((one) => one.pin !== pin);
    const name = known && (found.name === undefined || found.name === known.name) ? known.name : freeName(found.name);
    const entry: Entry = { ...known, name, pin, sinceMs: nowMs };
    this.#commit({
      ...this.#now,
      boxes: [...others, entry],
      revoked: this.#now.revoked.filter((one) => one.pin !== pin),
      tokens: this.#swept(nowMs).map((one) => (one.hash === hash ? Object.assign({}, one, { usedBy: pin }) : one)),
    });
    return { name };
  }

  /** Throws UserError `STATE_UNWRITABLE`. */
  rename(pin: string, name: string): void {
    this.#commit({ ...this.#now, boxes: this.#now.boxes.map((one) => (one.pin === pin ? { ...one, name } : one)) });
  }

  /** Puts a box out. Throws UserError `STATE_UNWRITABLE`: then it is still in. */
  revoke(pin: string, nowMs: number): void {
    const box = this.boxOf(pin);
    if (!box) return;
    const earlier = this.#now.revoked.filter((one) => one.pin !== pin);
    this.#commit({
      ...this.#now,
      boxes: this.#now.boxes.filter((one) => one.pin !== pin),
      revoked: [...earlier, { name: box.name, pin, atMs: nowMs }].slice(-revokedMax),
    });
  }

  /** A box is there. On disk at the next {@link flush} or change only: flash memory wears out. */
  seen(pin: string, nowMs: number, address?: string): void {
    if (!this.boxOf(pin)) return;
    this.#unsaved = true;
    const news = { lastSeenMs: nowMs, ...(address !== undefined && { address }) };
    this.#now = {
      ...this.#now,
      boxes: this.#now.boxes.map((one) => (one.pin === pin ? { ...one, ...news } : one)),
    };
  }

  /** Drops codes long gone, and writes down who was seen when. Throws UserError `STATE_UNWRITABLE`. */
  flush(nowMs: number): void {
    const tokens = this.#swept(nowMs);
    if (this.#unsaved || tokens.length < this.#now.tokens.length) this.#commit({ ...this.#now, tokens });
  }

  #swept(nowMs: number): BoxRegister['tokens'] {
    return this.#now.tokens.filter((one) => nowMs < one.expiresAtMs + keptAfterMs);
  }

  #commit(next: BoxRegister): void {
    this.#directory.write(fileName, `${JSON.stringify(next, null, 1)}\n`);
    this.#now = next;
    this.#unsaved = false;
  }
}

/** What the file holds. Throws UserError `REGISTER_BROKEN`, `STATE_UNREADABLE`. */
export const readRegister = (directory: StateReader): BoxRegister =>
  readStateFile(directory, fileName, boxRegister, nobody, 'remove it and pair every box again');
