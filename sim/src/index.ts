export { type LineSpec } from './line.ts';
export { Link, type LinkCounters } from './link.ts';
export { checkedSpec, type DirectionSpec, heldBytesMax, plainDirection, queueLimitBytes } from './link-spec.ts';
export type { PeerSpec } from './local-peer.ts';
export { runWorld, type WorldReport } from './run-world.ts';
export { plainTcp, type PlainOutcome, type PlainTransfer } from './plain-tcp.ts';
export { asking, giving, promptPeer } from './peer-kinds.ts';
export { type Flow, type StreamSpec, World, type WorldSpec } from './world.ts';
