import type { StrandInfo } from '../src/strand/strand.ts';

/** What the kernel says of a connection on which nothing is on its way. */
export const idleInfo: StrandInfo = {
  rttMs: 40,
  minRttMs: 30,
  unsentBytes: 0,
  unackedSegments: 0,
  segmentsInFlight: 0,
  bytesInFlight: 0,
  segmentsIn: 1,
  bytesAcked: 0,
  deliveryRate: 0,
  sourceLimited: true,
  windowBytes: 14_480,
};
