/** Reads datagrams of ours from a UDP socket, some per turn. */
import { type DatagramHeader, readDatagramHeader } from '@tresse/core';
import type { Slab } from '@tresse/kit';
import {
  type Endpoint,
  endpoint,
  type EventLoop,
  nativeSlab,
  READABLE,
  receiveFrom,
  setReceiveBuffer,
  setSendBuffer,
} from '@tresse/sys';

/** Reads per turn: others have theirs too. */
const readsMax = 64;
/** The kernel holds so much while the loop is busy elsewhere, bytes: 10 ms of 1 Gbit/s, counted with its own overhead. */
const bufferBytes = 4 * 1_048_576;

/** One of each serves all sockets: a datagram is handled at once. */
const slab: Slab = nativeSlab(4_096);
const from: Endpoint = endpoint();
const header: DatagramHeader = { path: 0, key: 0, session: 0, number: 0 };

/** Takes what came: a header that was read, the whole datagram, its length, its socket and where it came from, all until it returns. */
export type TakeDatagram = (
  header: Readonly<DatagramHeader>,
  slab: Slab,
  length: number,
  fd: number,
  from: Readonly<Endpoint>,
) => void;

/** Datagrams that come to this socket go to `take`, those that are none of ours to `stray`. */
export function readDatagrams(loop: EventLoop, fd: number, take: TakeDatagram, stray: () => void): void {
  setReceiveBuffer(fd, bufferBytes);
  setSendBuffer(fd, bufferBytes);
  loop.add(fd, READABLE, () => {
    for (let i = 0; i < readsMax; i++) {
      const count = receiveFrom(fd, slab.address, slab.bytes.length, from);
      if (count < 0) return;
      if (readDatagramHeader(slab.bytes, 0, count, header)) take(header, slab, count, fd, from);
      else stray();
    }
  });
}
