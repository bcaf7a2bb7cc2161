import { setCongestionControl, setKeepAlive, setLingerReset, setNoDelay, setUserTimeout } from '@tresse/sys';

/** A strand whose peer's TCP acknowledges nothing for this long is dead, ms. */
const userTimeoutMs = 30_000;
const keepAliveIdleS = 45;
const keepAliveGapS = 10;
const keepAliveCount = 3;

/**
 * What every strand's connection has: bbr (it keeps window and rate over idle times and takes loss for no congestion), no
 * delay, and an RST when the engine dies. Returns false where the kernel has no bbr: it works, slower.
 */
export function prepareStrand(fd: number): boolean {
  setLingerReset(fd, true);
  setNoDelay(fd);
  setUserTimeout(fd, userTimeoutMs);
  setKeepAlive(fd, keepAliveIdleS, keepAliveGapS, keepAliveCount);
  return setCongestionControl(fd, 'bbr');
}
