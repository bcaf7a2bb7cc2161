/** The relay's UDP port: for every worker a socket on each address, found by what a datagram names. */
import { datagramSessionAt } from '@tresse/core';
import { bindAddress, closeFd, setReusePort, setV6Only, spreadByWord, tellLocalAddress, udpSocket } from '@tresse/sys';

/**
 * Opens them; they stay the caller's. Returns the descriptors of each worker. Throws ErrnoError (EADDRINUSE, EADDRNOTAVAIL), then with none left
 * open.
 */
export function openPacketSockets(
  listen: readonly { readonly address: string; readonly port: number }[],
  workers: number,
): number[][] {
  const all: number[] = [];
  const ofWorkers = Array.from({ length: workers }, (): number[] => []);
  try {
    for (const { address, port } of listen) {
      const family = address.includes(':') ? 6 : 4;
      for (const own of ofWorkers) {
        const fd = udpSocket(family);
        all.push(fd);
        own.push(fd);
        if (workers > 1) setReusePort(fd);
        if (family === 6) setV6Only(fd, address !== '::');
        tellLocalAddress(fd, family);
        bindAddress(fd, address, port);
      }
      if (workers > 1) spreadByWord(all.at(-1) ?? -1, datagramSessionAt, workers);
    }
    return ofWorkers;
  } catch (error) {
    for (const fd of all) closeFd(fd);
    throw error;
  }
}
