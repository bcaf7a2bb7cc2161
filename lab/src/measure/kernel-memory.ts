import { readFileSync } from 'node:fs';

const pageBytes = 4_096;

/**
 * Caches which sockets, what stands in their queues, and connection tracking are made of. The kmalloc ones hold other things too: what else the machine does
 * shows in them. Caches of file systems are left out, for they hold hundreds of megabytes that come and go.
 */
const ofSockets =
  /^(?:TCP|tw_sock_TCP|request_sock_|tcp_bind|sock_inode_cache|filp|lsm_file_cache|ep_head|eventpoll_|skbuff_|nf_conntrack|ip_dst_cache|inet_peer|kmalloc)/u;
/** A socket has one of these, too, but so have all files: they are counted by the sockets. */
const perSocket = ['dentry', 'lsm_inode_cache'];

/** The kernel's memory for sockets, on the whole machine. */
export interface KernelMemory {
  /** Objects in use of the slab caches that sockets are made of, with the share of their pages. */
  readonly slabBytes: number;
  /** What TCP has charged for bytes in its queues. */
  readonly queueBytes: number;
  /** TCP sockets, listening ones and those without an owner included. */
  readonly tcpSockets: number;
}

/** Reads /proc/slabinfo and /proc/net/sockstat (root only). */
export function kernelMemory(): KernelMemory {
  return {
    slabBytes: socketSlabBytes(readFileSync('/proc/slabinfo', 'utf8')),
    ...sockstatOf(readFileSync('/proc/net/sockstat', 'utf8')),
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
  for (const [name, { objects, bytesEach }] of caches) if (ofSockets.test(name)) bytes += objects * bytesEach;
  const sockets = caches.get('sock_inode_cache')?.objects ?? 0;
  for (const name of perSocket) bytes += sockets * (caches.get(name)?.bytesEach ?? 0);
  return bytes;
}

/** Figures from the text of /proc/net/sockstat; `alloc` and `mem` count all namespaces. */
export function sockstatOf(text: string): Pick<KernelMemory, 'queueBytes' | 'tcpSockets'> {
  const tcp = /^TCP: .*\balloc (\d+) mem (\d+)$/mu.exec(text);
  return { tcpSockets: Number(tcp?.[1] ?? 0), queueBytes: Number(tcp?.[2] ?? 0) * pageBytes };
}
