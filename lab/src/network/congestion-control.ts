import { readFileSync } from 'node:fs';

import { run } from '@tresse/sys';

/**
 * Which congestion control hosts use on these routes. A namespace of its own may not choose what the machine has not allowed to
 * all, but a route may name any that the kernel has: so nothing outside the lab has to be changed for it.
 */
export interface CongestionControl {
  readonly name: string;
  /** Put behind a route for `ip`; empty where the machine's default has to do. */
  readonly onRoute: string;
}

/** bbr, loaded where it is a module; where the kernel has none, the default. */
export async function congestionControl(): Promise<CongestionControl> {
  const has = (): boolean => setting('tcp_available_congestion_control').split(' ').includes('bbr');
  if (!has()) await run(['modprobe', '-q', 'tcp_bbr'], { timeoutMs: 5_000 }).catch(() => undefined);
  return has() ? { name: 'bbr', onRoute: ' congctl bbr' } : { name: setting('tcp_congestion_control'), onRoute: '' };
}

function setting(name: string): string {
  return readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim();
}
