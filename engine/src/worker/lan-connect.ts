/** Where streams of the relay's leave the box: hosts of its LAN that may be published, and nothing else. */
import { ResetReason, type Stream, within } from '@tresse/core';
import {
  bindDevice,
  closeFd,
  connectStart,
  EHOSTUNREACH,
  ENETUNREACH,
  ErrnoError,
  setMark,
  tcpSocket,
} from '@tresse/sys';

import type { LanAccess } from '../api.ts';
import type { Connect } from './stream-sockets.ts';
import { prefixOf, socketAddressOf } from './target.ts';

/** Connects the relay's streams to the LAN. Throws UserError `PREFIX`, `ADDRESS` when a network is written wrongly. */
export function lanConnect({ networks, except }: LanAccess, mark: number): Connect {
  const ways = networks.map((one) => ({ prefix: prefixOf(one.network), device: one.interface }));
  const closed = except.map((one) => prefixOf(one));
  return ({ target }: Stream) => {
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
