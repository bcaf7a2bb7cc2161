import {
  closeFd,
  setCongestionControl,
  setKeepAlive,
  setLingerReset,
  setNoDelay,
  setUserTimeout,
  tcpSocket,
} from '@tresse/sys';

/** A strand whose peer's TCP acknowledges nothing for this long is dead, ms. */
const userTimeoutMs = 30_000;
const keepAliveIdleS = 45;
const keepAliveGapS = 10;
const keepAliveCount = 3;
const congestionControl = 'bbr';

/**
 * What every strand's connection has: bbr (it keeps window and rate over idle times and takes loss for no congestion), no
 * delay, and an RST when the engine dies. Throws ErrnoError.
 */
export function prepareStrand(fd: number): void {
  setLingerReset(fd, true);
  setNoDelay(fd);
  setUserTimeout(fd, userTimeoutMs);
  setKeepAlive(fd, keepAliveIdleS, keepAliveGapS, keepAliveCount);
  setCongestionControl(fd, congestionControl);
}

/** Whether the kernel has bbr; without it all works, slower on lines that lose packets. Throws ErrnoError (EMFILE). */
export function hasWantedCongestionControl(): boolean {
  const fd = tcpSocket(4);
  try {
    return setCongestionControl(fd, congestionControl);
  } finally {
    closeFd(fd);
  }
}
