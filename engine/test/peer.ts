/** Real TCP connections over loopback for tests, all in one thread and one loop. */
import { readdirSync, readlinkSync } from 'node:fs';

import {
  accept,
  bindAddress,
  closeFd,
  closeWithReset,
  connectOutcome,
  connectStart,
  EAGAIN,
  type Endpoint,
  endpoint,
  ErrnoError,
  type EventLoop,
  FAILED,
  HANGUP,
  listen,
  localName,
  nativeSlab,
  READABLE,
  recvInto,
  sendFrom,
  setNoDelay,
  setReceiveBuffer,
  shutdownWrite,
  tcpSocket,
  udpSocket,
  WRITABLE,
} from '@tresse/sys';

import { beginSmall } from '../src/worker/interceptor.ts';

/** A test that waits longer than this waits in vain, ms. */
const patienceMs = 10_000;
/** Sockets that nobody closes for so long are somebody's. */
const settleMs = 300;
const slab = nativeSlab(262_144);

/** Turns the loop until something holds; fails with `what` when it never does. */
export function until(loop: EventLoop, holds: () => boolean, what: string): void {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs) {
    if (holds()) return;
    loop.turn(2);
  }
  throw new Error(`it never came to: ${what}`);
}

/** Lets come what comes for a while. */
export function settle(loop: EventLoop, turns = 50): void {
  for (let i = 0; i < turns; i++) loop.turn(1);
}

/** Ends a loop: its epoll descriptor is closed. */
export function finish(loop: EventLoop): void {
  loop.stop();
  loop.run();
}

/** A UDP socket with a port of its own on loopback: the kernel would choose one only when something is sent. The caller closes it. */
export function boundUdp(): number {
  const fd = udpSocket(4);
  for (let tries = 100; ; tries--) {
    try {
      bindAddress(fd, '127.0.0.1', 20_000 + Math.floor(Math.random() * 10_000));
      return fd;
    } catch (error) {
      if (!(error instanceof ErrnoError) || tries === 0) throw error;
    }
  }
}

/** Where a socket is reached. */
export function endpointOf(fd: number): Endpoint {
  const { address, port } = localName(fd);
  return endpoint(address, port);
}

/** Sockets this process has open. */
export function socketCount(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

/** Resolves when what earlier tests of this process left to close has closed: the count stands still. */
export async function socketsSettled(last = -1, since = performance.now()): Promise<void> {
  const count = socketCount();
  const begins = count === last ? since : performance.now();
  if (performance.now() - begins >= settleMs) return;
  await new Promise((resolve) => setTimeout(resolve, 20));
  await socketsSettled(count, begins);
}

/** A listener on loopback at a port the kernel chooses. */
export function listening(): { fd: number; address: string; port: number } {
  const fd = tcpSocket(4);
  bindAddress(fd, '127.0.0.1', 0);
  listen(fd, 1_024);
  return { fd, ...localName(fd) };
}

/** Both ends of a connection, nobody watching them. */
export function connectedPair(loop: EventLoop, receiveBufferBytes = 0, small = false): { near: number; far: number } {
  const listener = listening();
  if (small) beginSmall(listener.fd);
  const near = tcpSocket(4);
  if (receiveBufferBytes > 0) setReceiveBuffer(near, receiveBufferBytes);
  connectStart(near, listener.address, listener.port);
  let far = -EAGAIN;
  until(
    loop,
    () => {
      far = accept(listener.fd);
      return far >= 0;
    },
    'a connection',
  );
  closeFd(listener.fd);
  setNoDelay(near);
  return { near, far };
}

/** One end of a connection: notes what it hears, sends what it is given as fast as the kernel takes it. */
export class Peer {
  readonly fd: number;
  readonly #loop: EventLoop;
  readonly #heard: Buffer[] = [];
  heardBytes = 0;
  /** Bytes are counted and forgotten. */
  forgetful = false;
  sentBytes = 0;
  ended = false;
  /** The errno the connection ended with. */
  failed = 0;
  closed = false;
  #reading = true;
  #watched = true;
  readonly #queue: Buffer[] = [];
  #endWanted = false;

  constructor(loop: EventLoop, fd: number) {
    this.fd = fd;
    this.#loop = loop;
    loop.add(fd, READABLE, (events) => this.#onEvents(events));
  }

  static connect(loop: EventLoop, port: number, receiveBufferBytes = 0): Peer {
    const fd = tcpSocket(4);
    if (receiveBufferBytes > 0) setReceiveBuffer(fd, receiveBufferBytes);
    connectStart(fd, '127.0.0.1', port);
    return new Peer(loop, fd);
  }

  get heard(): Buffer {
    return Buffer.concat(this.#heard);
  }

  get text(): string {
    return this.heard.toString();
  }

  /** Whether the other side is through with us, in order or not. */
  get over(): boolean {
    return this.ended || this.failed !== 0;
  }

  get waitingBytes(): number {
    return this.#queue.reduce((sum, one) => sum + one.length, 0);
  }

  /** Queues bytes; a Buffer must stay as it is until it was sent. */
  send(bytes: Uint8Array | string): this {
    this.#queue.push(bytes instanceof Buffer ? bytes : Buffer.from(bytes));
    this.#flush();
    return this;
  }

  /** Half-closes, behind what is queued. */
  end(): this {
    this.#endWanted = true;
    this.#flush();
    return this;
  }

  pause(): void {
    this.#reading = false;
    this.#interest();
  }

  resume(): void {
    this.#reading = true;
    this.#interest();
  }

  reset(): void {
    this.#close(closeWithReset);
  }

  close(): void {
    this.#close(closeFd);
  }

  #close(how: (fd: number) => void): void {
    if (this.closed) return;
    this.closed = true;
    this.#loop.remove(this.fd);
    how(this.fd);
  }

  #onEvents(events: number): void {
    this.#flush();
    while (this.#reading && !this.over && !this.closed) {
      const count = recvInto(this.fd, slab.address, slab.bytes.length);
      if (count === -EAGAIN) break;
      if (count < 0) this.failed = -count;
      else if (count === 0) this.ended = true;
      else {
        this.heardBytes += count;
        if (!this.forgetful) this.#heard.push(Buffer.from(slab.bytes.subarray(0, count)));
      }
    }
    if ((events & FAILED) !== 0 && this.failed === 0 && !this.closed) this.failed = connectOutcome(this.fd);
    this.#interest();
    // Nothing more will come, and the kernel would tell so for ever.
    if ((events & HANGUP) !== 0 && this.over && this.#queue.length === 0) this.#unwatch();
  }

  #unwatch(): void {
    this.#watched = false;
    this.#loop.remove(this.fd);
  }

  #flush(): void {
    while (!this.closed && this.#queue.length > 0) {
      const [first = Buffer.alloc(0)] = this.#queue;
      const piece = first.subarray(0, slab.bytes.length);
      slab.bytes.set(piece);
      const count = sendFrom(this.fd, slab.address, piece.length);
      if (count < 0) {
        if (count !== -EAGAIN) {
          this.failed = -count;
          this.#queue.length = 0;
        }
        break;
      }
      this.sentBytes += count;
      if (count === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(count);
    }
    if (this.#queue.length === 0 && this.#endWanted && !this.closed && this.failed === 0) {
      this.#endWanted = shutdownWrite(this.fd) !== 0;
    }
    this.#interest();
  }

  #interest(): void {
    if (this.closed || !this.#watched) return;
    const waits = this.#queue.length > 0 || this.#endWanted ? WRITABLE : 0;
    const listens = this.#reading && !this.ended ? READABLE : 0;
    this.#loop.modify(this.fd, this.failed === 0 ? listens | waits : 0);
  }
}

/** A server on loopback; every connection it takes is in `peers`. */
export class Server {
  readonly port: number;
  readonly peers: Peer[] = [];
  readonly #fd: number;
  readonly #loop: EventLoop;

  constructor(loop: EventLoop, onPeer: (peer: Peer) => void = () => {}, receiveBufferBytes = 0) {
    const { fd, port } = listening();
    if (receiveBufferBytes > 0) setReceiveBuffer(fd, receiveBufferBytes);
    this.#fd = fd;
    this.#loop = loop;
    this.port = port;
    loop.add(fd, READABLE, () => {
      for (let got = accept(fd); got >= 0; got = accept(fd)) {
        const peer = new Peer(loop, got);
        this.peers.push(peer);
        onPeer(peer);
      }
    });
  }

  close(): void {
    this.#loop.remove(this.#fd);
    closeFd(this.#fd);
    for (const peer of this.peers) peer.close();
  }
}

/** Bytes that tell their place: no copy, shift or swap goes unseen. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
