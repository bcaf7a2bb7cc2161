export { Link, type LinkCounters } from './link.ts';
export { checkedSpec, type DirectionSpec, heldBytesMax, plainDirection, queueLimitBytes } from './link-spec.ts';
export type { PeerSpec } from './local-peer.ts';
export { type StreamSpec, World, type WorldSpec } from './world.ts';
