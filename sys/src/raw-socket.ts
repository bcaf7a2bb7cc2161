import { ownFd } from './descriptors.ts';
import { checked } from './errno.ts';
import { socket } from './libc.ts';
import { AF_INET, AF_INET6 } from './socket-address.ts';

const SOCK_RAW_NONBLOCK_CLOEXEC = 0x80803;

/**
 * A socket for packets of one IP protocol (IANA's number), non-blocking and closed on exec; used with `sendTo` and `receiveFrom`, port 0. The kernel
 * writes the IP header; what is received by IPv4 begins with it, by IPv6 it does not. Throws ErrnoError (EPERM, EMFILE, EAFNOSUPPORT).
 */
export function rawSocket(family: 4 | 6, protocol: number): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  return ownFd(checked(socket(domain, SOCK_RAW_NONBLOCK_CLOEXEC, protocol), 'make a raw socket'));
}
