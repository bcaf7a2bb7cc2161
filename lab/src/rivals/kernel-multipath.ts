import { existsSync, readFileSync } from 'node:fs';

/** Whether this kernel speaks MPTCP. */
export type Multipath = { can: true } | { can: false; why: string };

const enabled = '/proc/sys/net/mptcp/enabled';

/** Asks the kernel, and whether the program that lends MPTCP to others is there. */
export function kernelMultipath(): Multipath {
  if (!existsSync(enabled)) return { can: false, why: 'this kernel has no MPTCP, so nothing is compared with it' };
  if (readFileSync(enabled, 'utf8').trim() !== '1')
    return { can: false, why: 'MPTCP is switched off in this kernel (net.mptcp.enabled)' };
  if (!existsSync('/usr/bin/mptcpize'))
    return { can: false, why: 'mptcpize is not installed, so nothing is compared with kernel MPTCP' };
  return { can: true };
}
