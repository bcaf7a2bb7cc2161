/**
 * Non-blocking TCP sockets as plain descriptor numbers. What happens per connection throws {@link ErrnoError} with a sentence; what happens per
 * record ({@link recvInto}, {@link sendFrom}, {@link accept}) returns `-errno` instead and allocates nothing.
 */
import { closeFd, ownFd } from './descriptors.ts';
import { checked, EINPROGRESS, ErrnoError } from './errno.ts';
import { lastErrno, native } from './ffi.ts';
import { bind, socket } from './libc.ts';
import { nativeSlab, wordSlab } from './slab.ts';
import {
  AF_INET,
  AF_INET6,
  decodeSocketAddress,
  encodeSocketAddress,
  type SocketAddress,
  socketAddressSize,
} from './socket-address.ts';
import { setBindWithoutPort, setLingerReset, socketError } from './socket-options.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK_CLOEXEC = 0x80800;
const MSG_PEEK = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;

const connectCall: (fd: number, address: number, length: number) => number = native('int connect(int, uintptr_t, int)');
const listenCall: (fd: number, backlog: number) => number = native('int listen(int, int)');
const acceptCall: (fd: number, address: number, length: number, flags: number) => number = native(
  'int accept4(int, uintptr_t, uintptr_t, int)',
);
const recvCall: (fd: number, address: number, length: number, flags: number) => number = native(
  'int64_t recv(int, uintptr_t, size_t, int)',
);
const sendCall: (fd: number, address: number, length: number, flags: number) => number = native(
  'int64_t send(int, uintptr_t, size_t, int)',
);
const shutdownCall: (fd: number, how: number) => number = native('int shutdown(int, int)');
const socketNameCall: (fd: number, address: number, length: number) => number = native(
  'int getsockname(int, uintptr_t, uintptr_t)',
);
const peerNameCall: (fd: number, address: number, length: number) => number = native(
  'int getpeername(int, uintptr_t, uintptr_t)',
);

const scratch = nativeSlab(socketAddressSize);
const scratchLength = wordSlab(1);
const peeked = nativeSlab(1);

/** What {@link peekByte} returns when the peer sends no more; no error number of `recv` is 1. */
export const PEEK_END = -1;

/** A TCP socket, non-blocking and closed on exec. Throws ErrnoError (EMFILE, EAFNOSUPPORT). */
export function tcpSocket(family: 4 | 6): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  return ownFd(checked(socket(domain, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, 0), 'make a TCP socket'));
}

/**
 * Binds to a local address. With port 0 the port is chosen when connecting, so that many connections may share one.
 * Throws ErrnoError (EADDRINUSE, EADDRNOTAVAIL), UserError `ADDRESS`.
 */
export function bindAddress(fd: number, address: string, port: number): void {
  if (port === 0) setBindWithoutPort(fd);
  const length = encodeSocketAddress(scratch.bytes, address, port);
  checked(bind(fd, scratch.address, length), `bind to ${shown(address, port)}`);
}

/** Throws ErrnoError (EADDRINUSE). */
export function listen(fd: number, backlog: number): void {
  checked(listenCall(fd, backlog), 'listen');
}

/**
 * Begins to connect; the socket turns WRITABLE when {@link connectOutcome} knows how it ended.
 * Throws ErrnoError when it fails at once (ENETUNREACH, EADDRNOTAVAIL), UserError `ADDRESS`.
 */
export function connectStart(fd: number, address: string, port: number): void {
  const length = encodeSocketAddress(scratch.bytes, address, port);
  if (connectCall(fd, scratch.address, length) >= 0) return;
  const errno = lastErrno();
  if (errno !== EINPROGRESS) throw new ErrnoError(`connect ${shown(address, port)}`, errno);
}

/** How a connection begun ended: 0 connected, else the errno (positive). Clears it. Ask only once the socket is WRITABLE. */
export function connectOutcome(fd: number): number {
  return socketError(fd);
}

/** The next connection of a listener, non-blocking and closed on exec, or -errno (-EAGAIN: none waits). */
export function accept(fd: number): number {
  const accepted = acceptCall(fd, 0, 0, SOCK_NONBLOCK_CLOEXEC);
  return accepted >= 0 ? ownFd(accepted) : -lastErrno();
}

/** The other end of a connection. Throws ErrnoError (ENOTCONN). */
export function peerName(fd: number): SocketAddress {
  scratchLength.words[0] = socketAddressSize;
  checked(peerNameCall(fd, scratch.address, scratchLength.address), 'ask for the peer of a connection');
  return decodeSocketAddress(scratch.bytes);
}

/** This end: of a connection intercepted by tproxy, the address its client dialled. Throws ErrnoError. */
export function localName(fd: number): SocketAddress {
  scratchLength.words[0] = socketAddressSize;
  checked(socketNameCall(fd, scratch.address, scratchLength.address), 'ask for the local end of a socket');
  return decodeSocketAddress(scratch.bytes);
}

/** Receives up to `length` bytes to memory at `address`. Returns the bytes, 0 when the peer sends no more, or -errno (-EAGAIN: nothing there). */
export function recvInto(fd: number, address: number, length: number): number {
  const count = recvCall(fd, address, length, MSG_DONTWAIT);
  return count >= 0 ? count : -lastErrno();
}

/** Like {@link recvInto}, but what was copied stays there to be received. */
export function peekInto(fd: number, address: number, length: number): number {
  const count = recvCall(fd, address, length, MSG_DONTWAIT | MSG_PEEK);
  return count >= 0 ? count : -lastErrno();
}

/** The first byte waiting (0 to 255), left where it is; {@link PEEK_END} when the peer sends no more, or -errno (-EAGAIN: nothing there yet). */
export function peekByte(fd: number): number {
  const count = recvCall(fd, peeked.address, 1, MSG_DONTWAIT | MSG_PEEK);
  if (count === 1) return peeked.bytes[0] ?? 0;
  return count === 0 ? PEEK_END : -lastErrno();
}

/** Sends up to `length` bytes of memory at `address`. Returns the bytes taken by the kernel, or -errno (-EAGAIN: no room). Raises no signal. */
export function sendFrom(fd: number, address: number, length: number): number {
  const count = sendCall(fd, address, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  return count >= 0 ? count : -lastErrno();
}

/** Sends a FIN after what was sent. Returns 0 or -errno (-ENOTCONN: the connection is gone already). */
export function shutdownWrite(fd: number): number {
  return shutdownCall(fd, SHUT_WR) < 0 ? -lastErrno() : 0;
}

/** Closes a connection so that the peer sees a reset, and what was unsent is dropped. Remove it from the loop first. Never throws. */
export function closeWithReset(fd: number): void {
  setLingerReset(fd, true);
  closeFd(fd);
}

function shown(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
