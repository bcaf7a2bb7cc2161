/** Opens strands from the box: a connection bound to its uplink, then the sealed opening. */
import {
  Dialer,
  type DialOrder,
  kidBytes,
  openingAadBytes,
  openingBytes,
  openingTextBytes,
  saltBytes,
  type Strand,
  writeOpening,
} from '@tresse/core';
import { type Slab, UserError } from '@tresse/kit';
import {
  bindAddress,
  bindDevice,
  type Cipher,
  closeFd,
  connectOutcome,
  connectStart,
  ErrnoError,
  errnoName,
  type EventLoop,
  nativeSlab,
  randomBytes,
  setMark,
  tcpSocket,
  WRITABLE,
} from '@tresse/sys';

import type { BoxPath } from '../api.ts';
import { aeadOf } from './ciphers.ts';
import type { Log, SessionDriver } from './session-driver.ts';
import { strandKeys } from './strand-keys.ts';
import { prepareStrand } from './strand-options.ts';
import { StrandSocket } from './strand-socket.ts';

/** A connection that does not stand after this is given up, ms. */
const connectMsMax = 3_000;
/** The same failure of a path is logged this often, ms. */
const complaintGapMs = 5_000;

interface Attempt {
  readonly fd: number;
  readonly order: DialOrder;
  readonly sinceMs: number;
}

/** The key strands are opened under. */
export interface Kid {
  readonly kid: Uint8Array;
  readonly secret: Uint8Array;
  readonly cipher: Cipher;
}

export class StrandCaller {
  readonly dialer: Dialer;
  readonly #driver: SessionDriver;
  readonly #loop: EventLoop;
  readonly #mark: number;
  readonly #log: Log;
  readonly #attempts = new Set<Attempt>();
  readonly #opening: Slab = nativeSlab(openingBytes);
  readonly #complaints = new Map<number, { text: string; atMs: number }>();
  /** Why the newest connection of a path was not made. */
  readonly #faults = new Map<number, string>();
  #paths: ReadonlyMap<number, BoxPath> = new Map();
  #kid: Kid;
  #nextStrand = 1;

  constructor(driver: SessionDriver, kid: Kid, loop: EventLoop, mark: number, log: Log) {
    this.#driver = driver;
    this.dialer = new Dialer(driver.session);
    this.#kid = kid;
    this.#loop = loop;
    this.#mark = mark;
    this.#log = log;
  }

  /** Later strands are opened under this key; the one before is erased. */
  renew(kid: Kid): void {
    this.#kid.secret.fill(0);
    this.#kid = kid;
  }

  setPaths(paths: ReadonlyMap<number, BoxPath>): void {
    this.#paths = paths;
    for (const path of this.#faults.keys()) if (!paths.has(path)) this.#faults.delete(path);
  }

  /** The errno's name of the newest connection that was not made over a path; undefined once one stood. */
  faultOf(path: number): string | undefined {
    return this.#faults.get(path);
  }

  /** Begins what connections are due. */
  dial(nowMs: number): void {
    for (let order = this.dialer.poll(nowMs); order; order = this.dialer.poll(nowMs)) this.#begin(order, nowMs);
  }

  /** Gives up connections that take too long, and those of a path that is gone. */
  sweep(nowMs: number): void {
    for (const attempt of this.#attempts) {
      if (nowMs - attempt.sinceMs >= connectMsMax) this.#fail(attempt, 'ETIMEDOUT', 'connection timed out');
      else if (!this.#paths.has(attempt.order.path)) this.#end(attempt);
    }
  }

  /** Gives up what is under way on a path: its line is gone, or another attempt has won. */
  abandon(path: number): void {
    for (const attempt of this.#attempts) if (attempt.order.path === path) this.#end(attempt);
  }

  /** A strand was answered: what it replaces is closed. */
  answered(strand: Strand): void {
    for (const old of this.dialer.handleAnswered(strand)) {
      this.#driver.closeStrand(old, old === strand ? 'not needed' : 'replaced by a fresh one');
    }
    if (strand.quick) {
      for (const attempt of this.#attempts) {
        if (attempt.order.path === strand.path && attempt.order.role === strand.role) this.#end(attempt);
      }
    }
  }

  end(): void {
    for (const attempt of this.#attempts) this.#end(attempt);
    this.#kid.secret.fill(0);
  }

  #begin(order: DialOrder, nowMs: number): void {
    const path = this.#paths.get(order.path);
    if (!path) {
      this.dialer.handleEnd(order);
      return;
    }
    let fd = -1;
    try {
      fd = tcpSocket(path.relayAddress.includes(':') ? 6 : 4);
      setMark(fd, this.#mark);
      prepareStrand(fd);
      bindDevice(fd, path.interface);
      bindAddress(fd, path.localAddress, 0);
      connectStart(fd, path.relayAddress, path.relayPort);
      this.#watch({ fd, order, sinceMs: nowMs });
    } catch (error) {
      if (fd >= 0) closeFd(fd);
      this.dialer.handleEnd(order);
      // A line may lose its interface or address at any time, and the machine its descriptors: that is no fault of ours.
      if (!(error instanceof ErrnoError || error instanceof UserError)) throw error;
      if (error instanceof ErrnoError) this.#faults.set(path.path, error.code);
      this.#complain(path, error.message, nowMs);
    }
  }

  #watch(attempt: Attempt): void {
    this.#loop.add(attempt.fd, WRITABLE, () => this.#connected(attempt));
    this.#attempts.add(attempt);
  }

  #connected(attempt: Attempt): void {
    const errno = connectOutcome(attempt.fd);
    if (errno !== 0) {
      this.#fail(attempt, errnoName(errno));
      return;
    }
    this.#loop.remove(attempt.fd);
    this.#attempts.delete(attempt);
    this.dialer.handleEnd(attempt.order);
    const { path, role } = attempt.order;
    this.#faults.delete(path);
    const aead = aeadOf(this.#kid.cipher);
    const salt = randomBytes(saltBytes);
    const keys = strandKeys(aead, this.#kid.secret, salt);
    const id = this.#nextStrand++;
    writeOpening(this.#opening.bytes, 0, this.#kid.kid.subarray(0, kidBytes), salt, { strand: id, path, role });
    aead.seal(keys.up, 0, this.#opening, 0, openingAadBytes, openingAadBytes, openingTextBytes);
    const socket = new StrandSocket(
      attempt.fd,
      this.#loop,
      aead,
      { seal: keys.up, sealCounter: 1, open: keys.down, openCounter: 0 },
      this.#driver,
    );
    socket.watch();
    this.#driver.addStrand(socket, id, path, role);
    socket.sendPlain(this.#opening, openingBytes);
  }

  #fail(attempt: Attempt, errno: string, words: string = errno): void {
    this.#end(attempt);
    const path = this.#paths.get(attempt.order.path);
    if (!path) return;
    this.#faults.set(path.path, errno);
    this.#complain(path, words, this.#loop.nowMs);
  }

  #end(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    this.#loop.remove(attempt.fd);
    closeFd(attempt.fd);
    this.dialer.handleEnd(attempt.order);
  }

  #complain(path: BoxPath, text: string, nowMs: number): void {
    const last = this.#complaints.get(path.path);
    if (last?.text === text && nowMs - last.atMs < complaintGapMs) return;
    this.#complaints.set(path.path, { text, atMs: nowMs });
    this.#log('info', 'no connection to the relay', {
      uplink: path.uplink,
      relay: `${path.relayAddress}:${path.relayPort}`,
      reason: text,
    });
  }
}
