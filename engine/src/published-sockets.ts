/** The public ports of a relay: sockets of the main thread, which outlive the workers that take their connections. */
import {
  bindAddress,
  closeFd,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  ErrnoError,
  listen,
  setReceiveBuffer,
  setReuseAddress,
  setV6Only,
  tcpSocket,
  udpSocket,
} from '@tresse/sys';

import { beginSmall } from './worker/interceptor.ts';

/** Connections the kernel keeps until they are taken. */
const backlog = 1_024;

/**
 * Opens a public port on these addresses; `any` is every one of the machine, of both families. A TCP port listens. One of UDP is only kept from
 * others: its packets are the kernel's to pass on. Returns descriptors, the caller's. Throws ErrnoError (EADDRINUSE, EACCES, EADDRNOTAVAIL), then
 * with none left open.
 */
export function openPublicPort(protocol: 'tcp' | 'udp', addresses: readonly string[], port: number): number[] {
  const fds: number[] = [];
  const all = addresses.flatMap((one) => (one === 'any' ? ['0.0.0.0', '::'] : [one]));
  for (const address of all) {
    try {
      fds.push(protocol === 'tcp' ? listener(address, port) : reservation(address, port));
    } catch (error) {
      // A machine without IPv6 has every address all the same.
      const missing = error instanceof ErrnoError && (error.errno === EAFNOSUPPORT || error.errno === EADDRNOTAVAIL);
      if (missing && address === '::') continue;
      for (const fd of fds) closeFd(fd);
      throw error;
    }
  }
  return fds;
}

function listener(address: string, port: number): number {
  const six = address.includes(':');
  return bound(tcpSocket(six ? 6 : 4), (fd) => {
    setReuseAddress(fd);
    if (six) setV6Only(fd, true);
    beginSmall(fd);
    bindAddress(fd, address, port);
    listen(fd, backlog);
  });
}

function reservation(address: string, port: number): number {
  const six = address.includes(':');
  return bound(udpSocket(six ? 6 : 4), (fd) => {
    if (six) setV6Only(fd, true);
    // Nobody reads it.
    setReceiveBuffer(fd, 0);
    bindAddress(fd, address, port);
  });
}

function bound(fd: number, prepare: (fd: number) => void): number {
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}
