export { Link, type LinkCounters } from './link.ts';
export { checkedSpec, type DirectionSpec, heldBytesMax, plainDirection, queueLimitBytes } from './link-spec.ts';
