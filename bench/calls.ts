/** What a call into the kernel costs from JavaScript: by foreign function, and by Node's own synchronous calls where it has them. */
import { readSync, writeSync } from 'node:fs';

import { SystemError } from '@tresse/kit';
import {
  accept,
  bindAddress,
  closeFd,
  connectStart,
  listen,
  localName,
  nativeSlab,
  recvInto,
  sendFrom,
  TcpInfo,
  tcpSocket,
  unackedBytes,
} from '@tresse/sys';

import { byTurns, median, nanosecondsPer } from './contest.ts';
import { printTable, ratio, shown } from './table.ts';

const rounds = 5;
const turnMs = 40;
const sizes: readonly number[] = [1_400, 65_536];

/** Two ends of a connection over loopback. Throws ErrnoError, SystemError `BENCH`. */
function pair(): { near: number; far: number } {
  const listener = tcpSocket(4);
  bindAddress(listener, '127.0.0.1', 0);
  listen(listener, 1);
  const near = tcpSocket(4);
  connectStart(near, '127.0.0.1', localName(listener).port);
  const far = accept(listener);
  closeFd(listener);
  if (far < 0) throw new SystemError('BENCH', 'loopback does not connect');
  return { near, far };
}

/** Sends and receives so many bytes by foreign functions. */
function carryDirectly(near: number, far: number, size: number): () => void {
  const slab = nativeSlab(size);
  return () => {
    let sent = Math.max(0, sendFrom(near, slab.address, size));
    while (sent > 0) sent -= Math.max(0, recvInto(far, slab.address, size));
  };
}

function carryByNode(near: number, far: number, size: number): () => void {
  const buffer = new Uint8Array(size);
  return () => {
    let sent = writeSync(near, buffer);
    while (sent > 0) sent -= readSync(far, buffer);
  };
}

/** Runs and prints it. */
export async function calls(): Promise<void> {
  const { near, far } = pair();
  try {
    const info = new TcpInfo();
    const own: [string, () => void][] = [
      ['ioctl (SIOCOUTQ)', () => void unackedBytes(near)],
      ['getsockopt (TCP_INFO)', () => void info.read(near)],
    ];
    const measured = await byTurns(
      own.map(
        ([, work]) =>
          () =>
            nanosecondsPer(work, turnMs),
      ),
      rounds,
    );
    const rows = own.map(([name], i) => [name, shown(median(measured[i] ?? [])), '-', '-']);
    for (const size of sizes) {
      const works = [carryDirectly(near, far, size), carryByNode(near, far, size)];
      // oxlint-disable-next-line no-await-in-loop -- measured one after another
      const results = await byTurns(
        works.map((work) => () => nanosecondsPer(work, turnMs)),
        rounds,
      );
      const [direct = Number.NaN, node = Number.NaN] = results.map((figures) => median(figures));
      rows.push([`send and recv ${size} B, loopback`, shown(direct), shown(node), ratio(node, direct)]);
    }
    printTable('Calls into the kernel, ns each', ['', 'direct', 'node:fs', 'faster'], rows);
  } finally {
    closeFd(near);
    closeFd(far);
  }
}
