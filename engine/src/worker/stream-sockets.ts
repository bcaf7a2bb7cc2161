/**
 * The local ends of streams: connections of LAN hosts at the box, connections to servers at the relay. A crash is an RST
 * to them, never a FIN: lingering is off until a stream has ended in order.
 */
import { limits, type Local, ResetReason, type Session, type Stream } from '@tresse/core';
import type { Slab } from '@tresse/kit';
import {
  closeFd,
  closeWithReset,
  connectOutcome,
  ECONNREFUSED,
  EAGAIN,
  EHOSTUNREACH,
  EINTR,
  ENETUNREACH,
  ErrnoError,
  ETIMEDOUT,
  type EventLoop,
  FAILED,
  freeReceiveBuffer,
  HANGUP,
  holdReceiveBuffer,
  queueMemory,
  READABLE,
  recvInto,
  sendFrom,
  setKeepAlive,
  setLingerReset,
  setNoDelay,
  setNotSentLowat,
  shutdownWrite,
  unackedBytes,
  WRITABLE,
} from '@tresse/sys';

import type { HeldStream } from './memory-governor.ts';

/** Written ahead of what the local peer's TCP takes, bytes. */
const writtenAheadBytes = 131_072;
/** A peer that has given this much credit is read by somebody: it is more than a server's kernel takes by itself at first. */
const heardBytes = 524_288;
/** Receives per wake-up of one connection. */
const receivesMax = 16;
/** TCP keepalive of local peers: found dead after about 2 h 4 min idle (RFC 5382). */
const keepAliveIdleS = 7_200;
const keepAliveGapS = 30;
const keepAliveCount = 8;

/** How a local connection stands. */
interface Socket {
  readonly fd: number;
  readonly stream: Stream;
  interest: number;
  connecting: boolean;
  connectingSinceMs: number;
  readEnded: boolean;
  writeEnded: boolean;
  watched: boolean;
  /** A write was refused: the kernel tells this once only, so it is kept until the loop comes by. */
  broken: boolean;
  /** Its receive buffer is the first, small one; see {@link StreamSockets.adopt}. */
  narrow: boolean;
  /** The kernel may hold bytes of it that are nobody's yet: written, or left unread. */
  loaded: boolean;
}

/** Makes the egress connection of a stream the peer opened: the descriptor, or the reason why not. */
export type Connect = (stream: Stream) => { fd: number } | { refused: ResetReason };

/** Hears of the end of each stream that had a local end; the reason where the session says it is over, by the peer's RESET mostly. */
export type OnStreamEnd = (stream: Stream, reason: ResetReason | undefined) => void;

/** An egress connection that does not stand after this is given up, ms. */
const connectMsMax = 10_000;
/** A stream of which one direction is over and the other carries nothing ends after this, ms. */
const halfClosedMsMax = 600_000;

export class StreamSockets implements Local {
  readonly #loop: EventLoop;
  readonly #connect: Connect;
  readonly #sockets = new Map<Stream, Socket>();
  readonly #connecting = new Set<Socket>();
  #session: Session | undefined;
  /** Something happened that the session should answer. */
  readonly #onActivity: () => void;
  readonly #onMessage: (bytes: Uint8Array) => void;
  readonly #onEnd: OnStreamEnd;

  constructor(
    loop: EventLoop,
    connect: Connect,
    onActivity: () => void,
    onMessage: (bytes: Uint8Array) => void = (): void => {},
    onEnd: OnStreamEnd = (): void => {},
  ) {
    this.#loop = loop;
    this.#connect = connect;
    this.#onActivity = onActivity;
    this.#onMessage = onMessage;
    this.#onEnd = onEnd;
  }

  /** Set once, before anything else: sockets and session know each other. */
  attach(session: Session): void {
    this.#session = session;
  }

  message(bytes: Uint8Array): void {
    this.#onMessage(bytes);
  }

  get count(): number {
    return this.#sockets.size;
  }

  /**
   * Takes an accepted connection as the local end of a stream this side opened. It comes with the listener's small buffer, which
   * the kernel may grow where there is plenty of memory, or somebody reads: of a crowd that nobody reads it holds no more.
   */
  adopt(stream: Stream, fd: number): void {
    const socket = this.#add(stream, fd, READABLE);
    if (!socket) return;
    socket.narrow = true;
    holdReceiveBuffer(fd, true);
    this.#read(socket);
  }

  /** Gives up egress connections that do not stand in time, and half-closed streams that carry nothing. */
  sweep(nowMs: number): void {
    for (const socket of this.#connecting) {
      if (nowMs - socket.connectingSinceMs >= connectMsMax) this.#abort(socket, ResetReason.timeout);
    }
    for (const socket of this.#sockets.values()) {
      const half = socket.readEnded !== socket.writeEnded;
      if (half && nowMs - socket.stream.lastActiveMs >= halfClosedMsMax) this.#abort(socket, ResetReason.timeout);
    }
  }

  /**
   * What each stream holds that holds anything: unacknowledged, out of order, and unread or unacknowledged in the kernel's
   * queues. The kernel is asked about those only that were written to since it had nothing, or are not read: idle ones are thousands.
   */
  held(): HeldStream[] {
    const all: HeldStream[] = [];
    for (const socket of this.#sockets.values()) {
      const { stream } = socket;
      const bytes = stream.send.heldBytes + stream.receive.costBytes + (socket.loaded ? this.#kernelBytes(socket) : 0);
      if (bytes > 0) all.push({ bytes, end: () => this.#abort(socket, ResetReason.limit) });
    }
    return all;
  }

  #kernelBytes(socket: Socket): number {
    const bytes = Math.max(0, queueMemory(socket.fd));
    const unread = !socket.readEnded && (socket.interest & READABLE) === 0;
    socket.loaded = bytes > 0 || unread;
    return bytes;
  }

  connect(stream: Stream): void {
    if (this.#connecting.size >= limits.pendingConnectsMax) {
      this.#session?.resetStream(stream, ResetReason.limit, this.#loop.nowMs);
      return;
    }
    const outcome = this.#connect(stream);
    if ('refused' in outcome) {
      this.#session?.resetStream(stream, outcome.refused, this.#loop.nowMs);
      return;
    }
    const socket = this.#add(stream, outcome.fd, WRITABLE);
    if (!socket) return;
    socket.connecting = true;
    this.#connecting.add(socket);
  }

  deliver(stream: Stream, slab: Slab, start: number, length: number): number {
    const socket = this.#sockets.get(stream);
    if (!socket || socket.connecting || socket.writeEnded) return 0;
    if ((socket.interest & WRITABLE) !== 0) return 0;
    socket.loaded = true;
    const sent = sendFrom(socket.fd, slab.address + start, length);
    if (sent === length) return sent;
    // Not ended from within the session's own call: the loop comes by at once.
    socket.broken ||= sent < 0 && sent !== -EAGAIN && sent !== -EINTR;
    this.#want(socket, socket.interest | WRITABLE);
    return Math.max(sent, 0);
  }

  unacknowledged(stream: Stream): number {
    const socket = this.#sockets.get(stream);
    return socket && !socket.connecting ? Math.max(0, unackedBytes(socket.fd)) : 0;
  }

  ended(stream: Stream): void {
    const socket = this.#sockets.get(stream);
    if (!socket || socket.writeEnded) return;
    socket.writeEnded = true;
    shutdownWrite(socket.fd);
  }

  reset(stream: Stream, reason: ResetReason): void {
    const socket = this.#sockets.get(stream);
    if (socket) this.#drop(socket, true, reason);
  }

  room(stream: Stream): void {
    const socket = this.#sockets.get(stream);
    if (socket && !socket.readEnded) this.#want(socket, socket.interest | READABLE);
  }

  released(stream: Stream): void {
    const socket = this.#sockets.get(stream);
    if (socket) this.#drop(socket, false);
  }

  /** Takes a descriptor in; when the kernel will not have it watched the stream is reset, and undefined is returned. */
  #add(stream: Stream, fd: number, interest: number): Socket | undefined {
    const socket: Socket = {
      fd,
      stream,
      interest: 0,
      connecting: false,
      connectingSinceMs: this.#loop.nowMs,
      readEnded: false,
      writeEnded: false,
      watched: false,
      broken: false,
      narrow: false,
      loaded: false,
    };
    this.#sockets.set(stream, socket);
    try {
      setLingerReset(fd, true);
      setNoDelay(fd);
      setNotSentLowat(fd, writtenAheadBytes);
      setKeepAlive(fd, keepAliveIdleS, keepAliveGapS, keepAliveCount);
      this.#want(socket, interest);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.#abort(socket, ResetReason.internal);
      return undefined;
    }
    return socket;
  }

  #drop(socket: Socket, abort: boolean, reason?: ResetReason): void {
    this.#sockets.delete(socket.stream);
    this.#connecting.delete(socket);
    this.#loop.remove(socket.fd);
    if (abort) closeWithReset(socket.fd);
    else {
      setLingerReset(socket.fd, false);
      closeFd(socket.fd);
    }
    this.#onEnd(socket.stream, reason);
  }

  /** Level-triggered interest; a descriptor nothing is wanted of leaves the loop, or its hang-up would spin. */
  #want(socket: Socket, interest: number): void {
    if (socket.watched && interest === socket.interest) return;
    socket.interest = interest;
    if (!socket.watched) {
      this.#loop.add(socket.fd, interest, (events) => this.#onEvents(socket, events));
      socket.watched = true;
    } else this.#loop.modify(socket.fd, interest);
  }

  #onEvents(socket: Socket, events: number): void {
    this.#onActivity();
    if (socket.connecting) {
      this.#connected(socket);
      return;
    }
    if (socket.broken || (events & FAILED) !== 0) {
      this.#abort(socket, ResetReason.localReset);
      return;
    }
    if ((events & WRITABLE) !== 0) {
      this.#want(socket, socket.interest & ~WRITABLE);
      this.#session?.handleLocalWritable(socket.stream, this.#loop.nowMs);
    }
    if ((events & READABLE) !== 0 && this.#sockets.get(socket.stream) === socket) this.#read(socket);
    // Both directions have ended at this socket. While nothing is wanted of it (all was read, or there is no room for what
    // was not) the kernel would report that for ever.
    if ((events & HANGUP) !== 0 && socket.interest === 0 && this.#sockets.get(socket.stream) === socket) {
      this.#loop.remove(socket.fd);
      socket.watched = false;
    }
  }

  #connected(socket: Socket): void {
    const nowMs = this.#loop.nowMs;
    const errno = connectOutcome(socket.fd);
    if (errno !== 0) {
      this.#abort(socket, reasonOf(errno));
      return;
    }
    this.#connecting.delete(socket);
    socket.connecting = false;
    this.#want(socket, READABLE);
    this.#session?.handleConnected(socket.stream, nowMs);
  }

  #read(socket: Socket): void {
    const session = this.#session;
    const { stream, fd } = socket;
    if (!session || socket.readEnded) return;
    if (socket.narrow && (session.roomy || stream.creditLimit > heardBytes)) {
      socket.narrow = false;
      freeReceiveBuffer(fd);
    }
    for (let i = 0; i < receivesMax; i++) {
      if (!session.mayRead(stream)) {
        socket.loaded = true;
        this.#want(socket, socket.interest & ~READABLE);
        return;
      }
      const { slab, start, room } = stream.send.reserve(stream.creditLimit - stream.send.end);
      const count = recvInto(fd, slab.address + start, room);
      if (count > 0) {
        session.handleLocalData(stream, count, this.#loop.nowMs);
        if (count < room) {
          session.handleLocalDry(stream);
          return;
        }
        continue;
      }
      stream.send.commit(0);
      if (count === -EAGAIN || count === -EINTR) session.handleLocalDry(stream);
      else if (count === 0) this.#ended(socket);
      else this.#abort(socket, ResetReason.localReset);
      return;
    }
  }

  #ended(socket: Socket): void {
    socket.readEnded = true;
    this.#want(socket, socket.interest & ~READABLE);
    this.#session?.handleLocalEnd(socket.stream, this.#loop.nowMs);
  }

  /** Ends a stream from this side, by a reset to both. */
  #abort(socket: Socket, reason: ResetReason): void {
    this.#session?.resetStream(socket.stream, reason, this.#loop.nowMs);
    this.#drop(socket, true);
  }
}

function reasonOf(errno: number): ResetReason {
  if (errno === ECONNREFUSED) return ResetReason.refused;
  if (errno === ENETUNREACH || errno === EHOSTUNREACH) return ResetReason.unreachable;
  return errno === ETIMEDOUT ? ResetReason.timeout : ResetReason.internal;
}
