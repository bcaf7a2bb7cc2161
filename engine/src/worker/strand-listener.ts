/**
 * The relay's one TCP port: the first byte tells a TLS handshake, which goes to the main thread untouched, from a strand's
 * opening. Peers that say nothing are few at a time and wait a few seconds only; everything else gets a reset.
 */
import {
  kidBytes,
  openingAadBytes,
  openingByte,
  openingBytes,
  openingTextBytes,
  readOpening,
  type Opening,
  saltBytes,
  workerOfKid,
} from '@tresse/core';
import { Crowd, type Slab, sourceOf } from '@tresse/kit';
import {
  type Aead,
  bindAddress,
  closeFd,
  closeWithReset,
  ErrnoError,
  type EventLoop,
  listen,
  nativeSlab,
  peekByte,
  peekInto,
  peerName,
  READABLE,
  recvInto,
  setReceiveLowat,
  setReuseAddress,
  setReusePort,
  setV6Only,
  type SocketAddress,
  tcpSocket,
  EAGAIN,
  EINTR,
} from '@tresse/sys';

import { Acceptor } from './acceptor.ts';
import { SourceAllowance } from './source-allowance.ts';
import { type StrandKeys, strandKeys } from './strand-keys.ts';
import { prepareStrand } from './strand-options.ts';

const backlog = 1_024;
const tlsByte = 0x16;
/** Peers that have not said who they are: when there are more, the oldest of whoever sent the most goes. */
const waitingMax = 256;
const waitingMsMax = 5_000;
/** Openings a kid may have; a box that wants more makes a handshake. */
const openingsMax = 4_096;

/** A key the relay accepts openings under. */
export interface RelayKid {
  readonly secret: Uint8Array;
  readonly aead: Aead;
  /** Salts seen: an opening works once. */
  readonly salts: Set<string>;
}

export interface ListenerOwner {
  kid(hex: string): RelayKid | undefined;
  onTls(fd: number, remote: { address: string; port: number }): void;
  /** A strand of another worker's session, nothing of it received: the descriptor is the callee's. */
  onForeign?(fd: number, worker: number): void;
  /** An authentic opening: the descriptor is the callee's. */
  onOpening(fd: number, kidHex: string, keys: StrandKeys, opening: Opening): void;
}

/** What tells a strand's session: the first byte and the kid. */
const peekBytes: number = 1 + kidBytes;
const peeked: Slab = nativeSlab(peekBytes);

interface Waiting {
  readonly fd: number;
  readonly sinceMs: number;
  /** Its session can be nowhere but here. */
  ours: boolean;
  /** It shall not be looked at again before its kid is there, or it ends. */
  hurried: boolean;
  /** Bytes of an opening received so far. */
  bytes: Slab | undefined;
  filled: number;
}

export class StrandListener {
  readonly counters = {
    accepted: 0,
    handshakes: 0,
    /** Begun by a source that asks for too many. */
    handshakesRefused: 0,
    handedOn: 0,
    strangers: 0,
    silent: 0,
    crowdedOut: 0,
    /** Gone before it said who it is. */
    gone: 0,
    openingsUnknown: 0,
    openingsForged: 0,
    openingsReplayed: 0,
    openingsImpossible: 0,
    openingsBeyond: 0,
    openingsRefused: 0,
  };
  readonly #loop: EventLoop;
  readonly #owner: ListenerOwner;
  readonly #worker: number;
  readonly #workers: number;
  readonly #acceptors: Acceptor[] = [];
  readonly #waiting = new Crowd<Waiting>(waitingMax);
  readonly #allowance = new SourceAllowance();

  /** `worker` is which of so many workers this is; sessions are spread over them by their kids. */
  constructor(loop: EventLoop, owner: ListenerOwner, worker = 0, workers = 1) {
    this.#loop = loop;
    this.#owner = owner;
    this.#worker = worker;
    this.#workers = workers;
  }

  /**
   * Takes connections to an address, which several workers share. Returns the listening descriptor. Throws ErrnoError
   * (EADDRINUSE, EADDRNOTAVAIL).
   */
  listen(address: string, port: number): number {
    const six = address.includes(':');
    const fd = tcpSocket(six ? 6 : 4);
    try {
      setReuseAddress(fd);
      if (this.#workers > 1) setReusePort(fd);
      if (six) setV6Only(fd, address !== '::');
      bindAddress(fd, address, port);
      listen(fd, backlog);
      this.#acceptors.push(new Acceptor(fd, this.#loop, (accepted) => this.#onConnection(accepted)));
      return fd;
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  }

  /** How often connections had to wait for descriptors or memory. */
  get exhausted(): number {
    return this.#acceptors.reduce((sum, one) => sum + one.exhausted, 0);
  }

  /** Peers that have not said who they are. */
  get undecided(): number {
    return this.#waiting.size;
  }

  /** Drops those who said nothing in time. */
  sweep(nowMs: number): void {
    for (const waiting of this.#waiting.guests()) {
      if (nowMs - waiting.sinceMs < waitingMsMax) return;
      this.counters.silent++;
      this.#drop(waiting);
    }
  }

  /** Takes a strand that came to another worker. */
  adopt(fd: number): void {
    this.#await(fd, true);
  }

  #onConnection(fd: number): void {
    this.counters.accepted++;
    this.#await(fd, this.#workers === 1);
  }

  #await(fd: number, ours: boolean): void {
    const waiting: Waiting = { fd, sinceMs: this.#loop.nowMs, ours, hurried: false, bytes: undefined, filled: 0 };
    this.#loop.add(fd, READABLE, () => this.#read(waiting));
    const displaced = this.#waiting.add(waiting, sourceOf(nameOfPeer(fd)?.address ?? ''));
    if (!displaced) return;
    this.counters.crowdedOut++;
    this.#drop(displaced);
  }

  #read(waiting: Waiting): void {
    if (!waiting.bytes) {
      const first = peekByte(waiting.fd);
      if (first === -EAGAIN || first === -EINTR) return;
      if (first < 0) {
        this.counters.gone++;
        this.#drop(waiting);
        return;
      }
      if (first === tlsByte) {
        this.#handOver(waiting);
        return;
      }
      if (first !== openingByte) {
        this.counters.strangers++;
        this.#drop(waiting);
        return;
      }
      if (!waiting.ours && !this.#isOurs(waiting)) return;
      waiting.bytes = nativeSlab(openingBytes);
    }
    const slab = waiting.bytes;
    const count = recvInto(waiting.fd, slab.address + waiting.filled, openingBytes - waiting.filled);
    if (count === -EAGAIN || count === -EINTR) return;
    if (count <= 0) {
      this.counters.gone++;
      this.#drop(waiting);
      return;
    }
    waiting.filled += count;
    if (waiting.filled === openingBytes) this.#judge(waiting, slab);
  }

  /** Looks at the kid of an opening without receiving it; hands on what belongs to another worker. */
  #isOurs(waiting: Waiting): boolean {
    const { fd } = waiting;
    const count = peekInto(fd, peeked.address, peekBytes);
    if (count < peekBytes) {
      // A few bytes that stay where they are would wake the loop for ever; and so would their end.
      if (count === 0 || waiting.hurried) {
        this.counters.gone++;
        this.#drop(waiting);
      } else if (count > 0) setReceiveLowat(fd, peekBytes);
      waiting.hurried ||= count > 0;
      return false;
    }
    setReceiveLowat(fd, 1);
    const worker = workerOfKid(peeked.bytes, 1, this.#workers);
    waiting.ours = worker === this.#worker;
    if (waiting.ours) return true;
    this.#waiting.remove(waiting);
    this.counters.handedOn++;
    this.#owner.onForeign?.(fd, worker);
    return false;
  }

  #handOver(waiting: Waiting): void {
    const remote = nameOfPeer(waiting.fd);
    if (!remote) {
      this.counters.gone++;
      this.#drop(waiting);
      return;
    }
    this.counters.handshakes++;
    if (!this.#allowance.take(sourceOf(remote.address), this.#loop.nowMs)) {
      this.counters.handshakesRefused++;
      this.#drop(waiting);
      return;
    }
    this.#waiting.remove(waiting);
    this.#owner.onTls(waiting.fd, remote);
  }

  #judge(waiting: Waiting, slab: Slab): void {
    const kidHex = hex(slab.bytes, 1, kidBytes);
    const kid = this.#owner.kid(kidHex);
    if (!kid) {
      this.counters.openingsUnknown++;
      this.#drop(waiting);
      return;
    }
    const salt = slab.bytes.slice(1 + kidBytes, 1 + kidBytes + saltBytes);
    const keys = strandKeys(kid.aead, kid.secret, salt);
    // The tag first, then the salt: a stranger cannot fill the list of salts seen.
    if (!kid.aead.open(keys.up, 0, slab, 0, openingAadBytes, openingAadBytes, openingTextBytes)) {
      this.counters.openingsForged++;
      this.#refuse(waiting, kid, keys);
      return;
    }
    const saltHex = hex(salt, 0, saltBytes);
    const opening = readOpening(slab.bytes, openingAadBytes);
    if (kid.salts.has(saltHex) || kid.salts.size >= openingsMax || !opening) {
      if (!opening) this.counters.openingsImpossible++;
      else if (kid.salts.has(saltHex)) this.counters.openingsReplayed++;
      else this.counters.openingsBeyond++;
      this.#refuse(waiting, kid, keys);
      return;
    }
    kid.salts.add(saltHex);
    try {
      prepareStrand(waiting.fd);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.counters.gone++;
      this.#refuse(waiting, kid, keys);
      return;
    }
    this.#waiting.remove(waiting);
    this.#loop.remove(waiting.fd);
    this.#owner.onOpening(waiting.fd, kidHex, keys, opening);
  }

  #refuse(waiting: Waiting, { aead }: RelayKid, keys: StrandKeys): void {
    aead.eraseKey(keys.up);
    aead.eraseKey(keys.down);
    this.#drop(waiting);
  }

  #drop(waiting: Waiting): void {
    this.#waiting.remove(waiting);
    this.#loop.remove(waiting.fd);
    closeWithReset(waiting.fd);
  }
}

/** The other end; undefined when the connection is gone already. */
function nameOfPeer(fd: number): SocketAddress | undefined {
  try {
    return peerName(fd);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return undefined;
  }
}

function hex(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('hex');
}
