/** Reads datagrams of ours from a UDP socket, some per turn. */
import { type DatagramHeader, readDatagramHeader } from '@tresse/core';
import type { Slab } from '@tresse/kit';
import {
  type Endpoint,
  endpoint,
  type EventLoop,
  joinReceived,
  nativeSlab,
  READABLE,
  receivedSegmentBytes,
  receiveFrom,
  setReceiveBuffer,
  setSendBuffer,
} from '@tresse/sys';

/** Datagrams per turn, or a few more: others have theirs too. */
const datagramsMax = 256;
/** The kernel holds so much while the loop is busy elsewhere, bytes: 10 ms of 1 Gbit/s, counted with its own overhead. */
const bufferBytes = 4 * 1_048_576;

/** One of each serves all sockets: datagrams are handled at once. The kernel joins no more than fit. */
const slab: Slab = nativeSlab(65_536);
const from: Endpoint = endpoint();
const header: DatagramHeader = { path: 0, key: 0, session: 0, number: 0 };

/** Takes what came: a header that was read, the whole datagram from `start` on, its length, its socket and where it came from, all until it returns. */
export type TakeDatagram = (
  header: Readonly<DatagramHeader>,
  slab: Slab,
  start: number,
  length: number,
  fd: number,
  from: Readonly<Endpoint>,
) => void;

/** Datagrams that come to this socket go to `take`, those that are none of ours to `stray`. */
export function readDatagrams(loop: EventLoop, fd: number, take: TakeDatagram, stray: () => void): void {
  setReceiveBuffer(fd, bufferBytes);
  setSendBuffer(fd, bufferBytes);
  joinReceived(fd);
  loop.add(fd, READABLE, () => {
    for (let taken = 0; taken < datagramsMax;) {
      const count = receiveFrom(fd, slab.address, slab.bytes.length, from);
      if (count < 0) return;
      const size = receivedSegmentBytes() || count;
      for (let start = 0; start < count; start += size) {
        const length = Math.min(size, count - start);
        if (readDatagramHeader(slab.bytes, start, length, header)) take(header, slab, start, length, fd, from);
        else stray();
        taken++;
      }
      if (count > 0) continue;
      stray();
      taken++;
    }
  });
}
