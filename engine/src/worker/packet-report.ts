/** What the status tells of a packet lane. */
import { PacketClass, type PacketLane, type Path } from '@tresse/core';

import type { PathPackets, PerClass, SessionPackets } from '../api.ts';

const perClass = (of: (kind: PacketClass) => number): PerClass => ({
  realtime: of(PacketClass.realtime),
  interactive: of(PacketClass.interactive),
  bulk: of(PacketClass.bulk),
});

export function reportPath({ datagrams }: Path, nowMs: number): PathPackets {
  const heard = datagrams.heardMs > -Infinity;
  return {
    state: datagrams.answers(nowMs) ? 'carries' : heard ? 'silent' : 'asking',
    rttMs: datagrams.rttMs,
    jitterMs: datagrams.jitterMs,
    lossRatio: datagrams.lossRatio,
    queueMs: Math.max(0, datagrams.queueMs),
    deliveryBps: datagrams.deliveryRate * 8,
    datagramBytesMax: datagrams.mtu.limitBytes,
    bytesOut: perClass((kind) => datagrams.classBytes[kind] ?? 0),
  };
}

export function reportLane({ queue, order, copies, split }: PacketLane): SessionPackets {
  return {
    waiting: perClass((kind) => queue.bytesOf(kind)),
    held: order.held,
    late: order.late,
    givenUp: order.givenUp,
    doubled: order.copies,
    copied: copies,
    dropped: queue.dropped + queue.crowdedOut,
    split,
  };
}
