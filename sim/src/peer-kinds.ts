import type { PeerSpec } from './local-peer.ts';

/** Gives and takes as fast as it is let. */
export const promptPeer: PeerSpec = {
  bytes: 0,
  givesRate: Infinity,
  burstBytes: 65_536,
  givesAfterEnd: false,
  takesRate: Infinity,
  stallFromMs: Infinity,
  stallToMs: Infinity,
  resetsAtBytes: Infinity,
  resetsAtMs: Infinity,
};

/** A client that asks with a few bytes; with {@link answering} a download. */
export const asking: PeerSpec = { ...promptPeer, bytes: 300 };

/** Gives so much, whatever it is asked. */
export const giving = (bytes: number): PeerSpec => ({ ...promptPeer, bytes });
