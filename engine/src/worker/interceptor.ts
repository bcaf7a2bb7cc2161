/** Takes the LAN's TCP connections that nftables hands to this port; the dialled address is the socket's own. */
import {
  accept,
  bindAddress,
  closeFd,
  closeWithReset,
  EAGAIN,
  type EventLoop,
  listen,
  localName,
  READABLE,
  setLingerReset,
  setMark,
  setReuseAddress,
  setTransparent,
  type SocketAddress,
  tcpSocket,
} from '@tresse/sys';

const backlog = 4_096;
/** Connections taken per wake-up. */
const acceptsMax = 64;

/** Called with an accepted connection, which then belongs to the callee. */
export type OnConnection = (fd: number, dialled: SocketAddress) => void;

export class Interceptor {
  readonly #loop: EventLoop;
  readonly #onConnection: OnConnection;
  #fd = -1;

  constructor(loop: EventLoop, onConnection: OnConnection) {
    this.#loop = loop;
    this.#onConnection = onConnection;
  }

  /** Listens on loopback only: a LAN host that dials the box's own port is refused. Throws ErrnoError (EADDRINUSE, EPERM). */
  listen(port: number, mark: number): void {
    this.#fd = tcpSocket(4);
    try {
      setReuseAddress(this.#fd);
      setTransparent(this.#fd, 4);
      setMark(this.#fd, mark);
      bindAddress(this.#fd, '127.0.0.1', port);
      listen(this.#fd, backlog);
    } catch (error) {
      closeFd(this.#fd);
      throw error;
    }
    this.#loop.add(this.#fd, READABLE, () => this.#accept());
  }

  #accept(): void {
    for (let i = 0; i < acceptsMax; i++) {
      const fd = accept(this.#fd);
      if (fd === -EAGAIN) return;
      // Out of descriptors or aborted in the queue: what waits is tried again at the next turn.
      if (fd < 0) return;
      setLingerReset(fd, true);
      let dialled: SocketAddress;
      try {
        dialled = localName(fd);
      } catch {
        closeWithReset(fd);
        continue;
      }
      this.#onConnection(fd, dialled);
    }
    this.#loop.again();
  }
}
