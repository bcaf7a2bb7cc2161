/**
 * Where streams of the relay's leave the box: hosts of its LAN that may be published, and nothing else. They speak from the client's own address where the relay tells it:
 * the host's answers come to the box, which is its gateway, and the rules hand what is for such a socket to it.
 */
import { ResetReason, type Stream, type Target, within } from '@tresse/core';
import {
  bindAddress,
  bindDevice,
  closeFd,
  connectStart,
  EADDRINUSE,
  EHOSTUNREACH,
  ENETUNREACH,
  ErrnoError,
  setMark,
  setReuseAddress,
  setTransparent,
  tcpSocket,
} from '@tresse/sys';

import type { LanAccess } from '../api.ts';
import type { Connect } from './stream-sockets.ts';
import { prefixOf, socketAddressOf } from './target.ts';

/** Connects the relay's streams to the LAN. Throws UserError `PREFIX`, `ADDRESS` when a network is written wrongly. */
export function lanConnect({ networks, except }: LanAccess, mark: number): Connect {
  const ways = networks.map((one) => ({ prefix: prefixOf(one.network), device: one.interface }));
  const closed = except.map((one) => prefixOf(one));
  /** A relay must not pass for the box, or for a host of the LAN. */
  const mayBe = (address: Uint8Array, length: number): boolean =>
    address.length === length &&
    !ways.some(({ prefix }) => within(address, prefix)) &&
    !closed.some((prefix) => within(address, prefix));
  return ({ target, client }: Stream) => {
    const way = ways.find(({ prefix }) => within(target.address, prefix));
    if (!way || closed.some((prefix) => within(target.address, prefix))) {
      return { refused: ResetReason.forbidden };
    }
    const { address, port } = socketAddressOf(target);
    let fd = -1;
    try {
      fd = tcpSocket(target.address.length === 4 ? 4 : 6);
      if (mark !== 0) setMark(fd, mark);
      // Never out of a line, whatever the routes are meanwhile.
      if (way.device !== undefined) bindDevice(fd, way.device);
      if (client && mayBe(client.address, target.address.length)) speakAs(fd, client);
      connectStart(fd, address, port);
      return { fd };
    } catch (error) {
      if (fd >= 0) closeFd(fd);
      if (!(error instanceof ErrnoError)) throw error;
      const unreachable = error.errno === ENETUNREACH || error.errno === EHOSTUNREACH;
      return { refused: unreachable ? ResetReason.unreachable : ResetReason.internal };
    }
  };
}

/** By the client's port too, unless another connection has it. Throws ErrnoError (EPERM without CAP_NET_ADMIN). */
function speakAs(fd: number, client: Target): void {
  const { address, port } = socketAddressOf(client);
  setTransparent(fd, client.address.length === 4 ? 4 : 6);
  setReuseAddress(fd);
  try {
    bindAddress(fd, address, port);
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.errno !== EADDRINUSE) throw error;
    bindAddress(fd, address, 0);
  }
}
