import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  bindAddress,
  bindDevice,
  closeFd,
  connectOutcome,
  connectStart,
  ErrnoError,
  peerName,
  tcpSocket,
} from '@tresse/sys';

const pollMs = 10;

/**
 * A TCP connection that leaves by one interface, whatever the rules of routing say: before the box runs, nothing sends what
 * has an uplink's address by that uplink. Rejects with ErrnoError, or with the signal's reason.
 */
export async function connectByInterface(
  to: { readonly address: string; readonly port: number },
  from: { readonly interface: string; readonly address: string | undefined },
  signal: AbortSignal,
): Promise<Socket> {
  const fd = tcpSocket(to.address.includes(':') ? 6 : 4);
  try {
    bindDevice(fd, from.interface);
    if (from.address !== undefined) bindAddress(fd, from.address, 0);
    connectStart(fd, to.address, to.port);
    await settled(fd, signal);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  return new Socket({ fd, readable: true, writable: true });
}

/** Node has no way to wait for a descriptor of ours; a pairing is rare, so it is asked again and again. */
async function settled(fd: number, signal: AbortSignal): Promise<void> {
  const errno = connectOutcome(fd);
  if (errno !== 0) throw new ErrnoError('connect', errno);
  try {
    peerName(fd);
    return;
  } catch {
    await sleep(pollMs, undefined, { signal });
  }
  await settled(fd, signal);
}
