/** Where streams leave the relay: an ordinary connection to the target, where the policy allows it. */
import { EgressPolicy, ResetReason, type Stream } from '@tresse/core';
import {
  closeFd,
  closeWithReset,
  connectStart,
  EHOSTUNREACH,
  ENETUNREACH,
  ErrnoError,
  localName,
  tcpSocket,
} from '@tresse/sys';

import type { RelayEngineOptions } from '../api.ts';
import type { Connect } from './stream-sockets.ts';
import { addressBytes, prefixOf, socketAddressOf } from './target.ts';

/** Connects streams for a box. Throws UserError `PREFIX` when an allowed network is written wrongly. */
export function egressConnect(options: RelayEngineOptions): Connect {
  const policy = new EgressPolicy((options.ownAddresses ?? []).map(addressBytes), options.allowPrivate.map(prefixOf));
  return (stream: Stream) => {
    if (!policy.allows(stream.target.address)) return { refused: ResetReason.forbidden };
    const target = socketAddressOf(stream.target);
    let fd = -1;
    try {
      // An IPv4 address may be written as an IPv6 one.
      fd = tcpSocket(target.address.includes(':') ? 6 : 4);
      connectStart(fd, target.address, target.port);
      // An address the relay was given while it ran: such a connection begins and ends at the same one.
      if (!policy.isRouted(stream.target.address) && localName(fd).address === target.address) {
        closeWithReset(fd);
        return { refused: ResetReason.forbidden };
      }
      return { fd };
    } catch (error) {
      if (fd >= 0) closeFd(fd);
      if (!(error instanceof ErrnoError)) throw error;
      const unreachable = error.errno === ENETUNREACH || error.errno === EHOSTUNREACH;
      return { refused: unreachable ? ResetReason.unreachable : ResetReason.internal };
    }
  };
}
