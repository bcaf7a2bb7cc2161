import type { RelayConfig } from '@tresse/schema';

/**
 * Workers unless configured. One carries several Gbit/s, which is more than most servers' connection, and a session is in one only:
 * more of them are for many boxes at a time. Each costs some 15 MB.
 */
const workersMaxAuto = 4;

/** How many workers a relay starts on a machine of so many cores. */
export function workerCount(configured: RelayConfig['workers'], cores: number): number {
  return configured === 'auto' ? Math.max(1, Math.min(cores, workersMaxAuto)) : configured;
}
