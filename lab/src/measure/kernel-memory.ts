import { readFileSync } from 'node:fs';

import { run } from '@tresse/sys';

const pageBytes = 4_096;

/**
 * Caches which sockets and connection tracking are made of. The small kmalloc ones hold other things too: what else the machine does shows in them. Left out
 * are caches of file systems, which hold hundreds of megabytes that come and go, and those of packets: what stands in queues is asked of the sockets.
 */
const ofSockets =
  /^(?:TCP|tw_sock_TCP|request_sock_|tcp_bind|sock_inode_cache|filp|lsm_file_cache|ep_head|eventpoll_|nf_conntrack|ip_dst_cache|inet_peer|kmalloc-(?:cg-|rcl-)?(?:8|16|32|64|96|128|192|256)$)/u;
/** A socket has one of these, too, but so have all files: they are counted by the sockets. */
const perSocket = ['dentry', 'lsm_inode_cache'];

/** The kernel's memory for sockets, on the whole machine: it does not count by namespaces. */
export interface KernelMemory {
  /** Objects in use of the slab caches that sockets are made of, with their share of the pages. */
  readonly slabBytes: number;
  /** TCP sockets, listening ones and those without an owner included. */
  readonly tcpSockets: number;
}

/** Reads /proc/slabinfo and /proc/net/sockstat (root only). */
export function kernelMemory(): KernelMemory {
  return {
    slabBytes: socketSlabBytes(readFileSync('/proc/slabinfo', 'utf8')),
    tcpSockets: socketsOf(readFileSync('/proc/net/sockstat', 'utf8')),
  };
}

interface Cache {
  readonly objects: number;
  readonly bytesEach: number;
}

/** Bytes that the caches of sockets take, from the text of /proc/slabinfo (slabinfo(5)). */
export function socketSlabBytes(text: string): number {
  const caches = new Map<string, Cache>();
  for (const line of text.split('\n').slice(2)) {
    const [name = '', active, , , perSlab, pages] = line.split(/\s+/u);
    if (name === '') continue;
    caches.set(name, { objects: Number(active), bytesEach: (Number(pages) * pageBytes) / Number(perSlab) });
  }
  let bytes = 0;
  for (const [name, { objects, bytesEach }] of caches) {
    if (ofSockets.test(name)) bytes += objects * bytesEach;
  }
  const sockets = caches.get('sock_inode_cache')?.objects ?? 0;
  for (const name of perSocket) bytes += sockets * (caches.get(name)?.bytesEach ?? 0);
  return bytes;
}

/** TCP sockets of all namespaces, from the text of /proc/net/sockstat. */
export function socketsOf(text: string): number {
  return Number(/^TCP: .*\balloc (\d+) /mu.exec(text)?.[1] ?? 0);
}

/** TCP sockets of one namespace. */
export interface SocketQueues {
  readonly sockets: number;
  /** What the kernel has charged for the bytes in their queues and keeps ready for more, with its own part of the packets. */
  readonly queueBytes: number;
}

/** Asks the namespace's sockets. Throws CommandError. */
export async function socketQueues(netns: string): Promise<SocketQueues> {
  return socketQueuesOf(
    await run(['ss', '--tcp', '--all', '--memory', '--numeric', '--no-header', '--oneline'], { netns }),
  );
}

/** Figures from what ss(8) prints; it has no other form of output than text. Those that only wait for late packets have no memory of their own. */
export function socketQueuesOf(text: string): SocketQueues {
  let sockets = 0;
  let queueBytes = 0;
  for (const [, memory = ''] of text.matchAll(/skmem:\(([^)]*)\)/gu)) {
    sockets++;
    // Received, ready, being sent, options, backlog.
    for (const [, bytes] of memory.matchAll(/(?:^|,)(?:r|f|w|o|bl)(\d+)/gu)) queueBytes += Number(bytes);
  }
  return { sockets, queueBytes };
}
