/** Takes the LAN's TCP connections that nftables hands to this port; the dialled address is the socket's own. */
import {
  bindAddress,
  closeFd,
  closeWithReset,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  ErrnoError,
  type EventLoop,
  holdReceiveBuffer,
  listen,
  localName,
  setLingerReset,
  setMark,
  setReceiveBuffer,
  setReceiveTrafficClass,
  setReuseAddress,
  setTransparent,
  type SocketAddress,
  tcpSocket,
} from '@tresse/sys';

import { Acceptor } from './acceptor.ts';

const backlog = 4_096;
/**
 * What the kernel holds of a LAN host at first (it takes twice the number, a part of it for its books): a request, and not much
 * of what nobody reads, whose crowd would fill the memory. {@link StreamSockets.adopt} sees to the rest.
 */
const firstBufferBytes = 8_192;

/** Has a listener's connections begin with a small buffer. */
export function beginSmall(fd: number): void {
  setReceiveBuffer(fd, firstBufferBytes);
  // Or the kernel promises each LAN host 64 KiB at most, for good: it scales no window that cannot grow (RFC 7323).
  holdReceiveBuffer(fd, false);
}

/** Called with an accepted connection, which then belongs to the callee. */
export type OnConnection = (fd: number, dialled: SocketAddress) => void;

/**
 * Listens on loopback only: a LAN host that dials the box's own port is refused. IPv6 is left out where the machine has none.
 * Throws ErrnoError (EADDRINUSE, EPERM).
 */
export function intercept(loop: EventLoop, port: number, mark: number, onConnection: OnConnection): void {
  for (const family of [4, 6] as const) {
    try {
      listenOn(family, loop, port, mark, onConnection);
    } catch (error) {
      const missing = error instanceof ErrnoError && (error.errno === EAFNOSUPPORT || error.errno === EADDRNOTAVAIL);
      if (family === 4 || !missing) throw error;
    }
  }
}

function listenOn(family: 4 | 6, loop: EventLoop, port: number, mark: number, onConnection: OnConnection): Acceptor {
  const fd = tcpSocket(family);
  try {
    setReuseAddress(fd);
    setTransparent(fd, family);
    setReceiveTrafficClass(fd, family);
    setMark(fd, mark);
    beginSmall(fd);
    bindAddress(fd, family === 4 ? '127.0.0.1' : '::1', port);
    listen(fd, backlog);
    return new Acceptor(fd, loop, (accepted) => identify(accepted, onConnection));
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

function identify(fd: number, onConnection: OnConnection): void {
  // From here on a crash is a reset to the client, never an end in order.
  setLingerReset(fd, true);
  let dialled: SocketAddress;
  try {
    dialled = localName(fd);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    closeWithReset(fd);
    return;
  }
  onConnection(fd, dialled);
}
