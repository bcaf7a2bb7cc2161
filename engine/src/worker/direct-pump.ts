/**
 * Carries connections that were accepted for the relay and have waited for it in vain: the box itself connects to the
 * target, out of a line, and passes bytes on in both directions. The client has been answered already, so the kernel cannot
 * forward it any more; nothing of it has gone to the relay, so nothing happens twice. A crash, and all that is not an end in
 * order, is a reset to both ends.
 */
import type { Slab } from '@tresse/kit';
import {
  bindAddress,
  bindDevice,
  closeFd,
  closeWithReset,
  connectOutcome,
  connectStart,
  EAGAIN,
  EINTR,
  ErrnoError,
  type EventLoop,
  FAILED,
  nativeSlab,
  READABLE,
  recvInto,
  sendFrom,
  setKeepAlive,
  setLingerReset,
  setMark,
  setNoDelay,
  shutdownWrite,
  type SocketAddress,
  tcpSocket,
  WRITABLE,
} from '@tresse/sys';

import type { DirectSource } from '../api.ts';

const bufferBytes = 32_768;
/** Passed on in one turn by one connection and direction, so that others have theirs. */
const passesMax = 8;
const pairsMax = 1_024;
const connectMsMax = 10_000;
const halfClosedMsMax = 600_000;
/** As for other local connections: found dead after about 2 h 4 min idle (RFC 5382). */
const keepAliveIdleS = 7_200;
const keepAliveGapS = 30;
const keepAliveCount = 8;

interface End {
  readonly fd: number;
  interest: number;
}

/** Bytes on their way from one end to the other. */
interface Flow {
  readonly from: End;
  readonly to: End;
  readonly slab: Slab;
  start: number;
  end: number;
  /** `from` sends no more; the other end knows it once `closed`. */
  finished: boolean;
  closed: boolean;
}

interface Pair {
  readonly flows: readonly [Flow, Flow];
  connecting: boolean;
  activeMs: number;
}

export class DirectPump {
  readonly counters = { directBegun: 0, directFailed: 0 };
  readonly #loop: EventLoop;
  readonly #mark: number;
  readonly #pairs = new Set<Pair>();

  constructor(loop: EventLoop, mark: number) {
    this.#loop = loop;
    this.#mark = mark;
  }

  /** Takes an accepted connection on to where it wanted to go. The descriptor is the pump's. */
  begin(client: number, dialled: SocketAddress, source: DirectSource): void {
    const server = this.#pairs.size < pairsMax ? this.#connect(dialled, source) : undefined;
    if (server === undefined) {
      this.counters.directFailed++;
      closeWithReset(client);
      return;
    }
    const ends = [client, server].map((fd): End => ({ fd, interest: 0 })) as [End, End];
    const pair: Pair = { flows: [flow(ends[0], ends[1]), flow(ends[1], ends[0])], connecting: true, activeMs: 0 };
    this.#pairs.add(pair);
    this.counters.directBegun++;
    try {
      prepare(client);
      prepare(server);
      this.#want(pair, ends[1], WRITABLE);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.#abort(pair);
    }
  }

  /** Gives up connections that do not stand in time, and half-closed ones that carry nothing. */
  sweep(nowMs: number): void {
    for (const pair of this.#pairs) {
      if (pair.activeMs === 0) pair.activeMs = nowMs;
      const [up, down] = pair.flows;
      const limitMs = pair.connecting ? connectMsMax : up.closed !== down.closed ? halfClosedMsMax : Infinity;
      if (nowMs - pair.activeMs >= limitMs) this.#abort(pair);
    }
  }

  /** Resets everything. */
  end(): void {
    for (const pair of this.#pairs) this.#abort(pair);
  }

  #connect(dialled: SocketAddress, source: DirectSource): number | undefined {
    let fd = -1;
    try {
      fd = tcpSocket(dialled.address.includes(':') ? 6 : 4);
      setMark(fd, this.#mark);
      bindDevice(fd, source.interface);
      bindAddress(fd, source.address, 0);
      connectStart(fd, dialled.address, dialled.port);
      return fd;
    } catch (error) {
      if (fd >= 0) closeFd(fd);
      if (!(error instanceof ErrnoError)) throw error;
      return undefined;
    }
  }

  #onEvents(pair: Pair, events: number): void {
    pair.activeMs = this.#loop.nowMs;
    const [up, down] = pair.flows;
    if (pair.connecting) {
      if (connectOutcome(up.to.fd) !== 0) {
        this.counters.directFailed++;
        this.#abort(pair);
        return;
      }
      pair.connecting = false;
    } else if ((events & FAILED) !== 0) {
      this.#abort(pair);
      return;
    }
    if (!pass(up) || !pass(down)) {
      this.#abort(pair);
      return;
    }
    if (up.closed && down.closed) {
      this.#close(pair);
      return;
    }
    this.#want(pair, up.from, interestOf(up, down));
    this.#want(pair, down.from, interestOf(down, up));
  }

  /** A descriptor nothing is wanted of leaves the loop, or its hang-up would spin. */
  #want(pair: Pair, end: End, interest: number): void {
    if (end.interest === interest) return;
    if (end.interest === 0) this.#loop.add(end.fd, interest, (events) => this.#onEvents(pair, events));
    else if (interest === 0) this.#loop.remove(end.fd);
    else this.#loop.modify(end.fd, interest);
    end.interest = interest;
  }

  #abort(pair: Pair): void {
    this.#forget(pair);
    for (const { from } of pair.flows) closeWithReset(from.fd);
  }

  #close(pair: Pair): void {
    this.#forget(pair);
    for (const { from } of pair.flows) {
      setLingerReset(from.fd, false);
      closeFd(from.fd);
    }
  }

  #forget(pair: Pair): void {
    this.#pairs.delete(pair);
    for (const { from } of pair.flows) this.#loop.remove(from.fd);
  }
}

function flow(from: End, to: End): Flow {
  return { from, to, slab: nativeSlab(bufferBytes), start: 0, end: 0, finished: false, closed: false };
}

function prepare(fd: number): void {
  setLingerReset(fd, true);
  setNoDelay(fd);
  setKeepAlive(fd, keepAliveIdleS, keepAliveGapS, keepAliveCount);
}

/** What is wanted of an end: to read for its own flow while there is room, to write what the other flow holds for it. */
function interestOf(own: Flow, other: Flow): number {
  const reads = !own.finished && own.start === own.end ? READABLE : 0;
  return reads | (other.start < other.end ? WRITABLE : 0);
}

/** Passes on what can be. Returns false when an end is broken. */
function pass(one: Flow): boolean {
  for (let i = 0; i < passesMax; i++) {
    if (one.start < one.end) {
      const sent = sendFrom(one.to.fd, one.slab.address + one.start, one.end - one.start);
      if (sent < 0) return sent === -EAGAIN || sent === -EINTR;
      one.start += sent;
      if (one.start < one.end) return true;
    }
    if (one.finished) break;
    const count = recvInto(one.from.fd, one.slab.address, bufferBytes);
    if (count < 0) return count === -EAGAIN || count === -EINTR;
    one.start = 0;
    one.end = Math.max(count, 0);
    one.finished = count === 0;
  }
  if (one.finished && !one.closed && one.start === one.end) {
    one.closed = true;
    return shutdownWrite(one.to.fd) === 0;
  }
  return true;
}
