/** Non-blocking UDP sockets as plain descriptor numbers; per datagram nothing is allocated, and failures are `-errno`. */
import { ownFd } from './descriptors.ts';
import { checked } from './errno.ts';
import { lastErrno, native } from './ffi.ts';
import { socket } from './libc.ts';
import { wordSlab } from './slab.ts';
import { AF_INET, AF_INET6, socketAddressSize } from './socket-address.ts';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK_CLOEXEC = 0x80800;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

const recvFromCall: (
  fd: number,
  address: number,
  length: number,
  flags: number,
  from: number,
  fromLength: number,
) => number = native('int64_t recvfrom(int, uintptr_t, size_t, int, uintptr_t, uintptr_t)');
const sendToCall: (fd: number, address: number, length: number, flags: number, to: number, toLength: number) => number =
  native('int64_t sendto(int, uintptr_t, size_t, int, uintptr_t, int)');

const fromLength = wordSlab(1);

/** A UDP socket, non-blocking and closed on exec. Throws ErrnoError (EMFILE, EAFNOSUPPORT). */
export function udpSocket(family: 4 | 6): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  return ownFd(checked(socket(domain, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0), 'make a UDP socket'));
}

/**
 * Receives one datagram to memory at `address`, and where it came from to `from` (room for {@link socketAddressSize} bytes). Returns its bytes, cut at
 * `length`, or -errno (-EAGAIN: none is there; -ECONNREFUSED: one that was sent found nobody).
 */
export function receiveFrom(fd: number, address: number, length: number, from: number): number {
  fromLength.words[0] = socketAddressSize;
  const count = recvFromCall(fd, address, length, MSG_DONTWAIT, from, fromLength.address);
  return count >= 0 ? count : -lastErrno();
}

/** Sends one datagram to the address encoded at `to`. Returns its bytes, or -errno (-EAGAIN: no room, -EMSGSIZE: too long). */
export function sendTo(fd: number, address: number, length: number, to: number, toLength: number): number {
  const count = sendToCall(fd, address, length, MSG_DONTWAIT | MSG_NOSIGNAL, to, toLength);
  return count >= 0 ? count : -lastErrno();
}
