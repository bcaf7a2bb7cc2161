export { assert, BugError, type Fault, PeerError, sentenceOf, SystemError, TresseError, UserError } from './errors.ts';
export { Crowd, sourceOf } from './crowd.ts';
export { mutated } from './mutation.ts';
export { Parts } from './parts.ts';
export { Prng } from './prng.ts';
export { NumberedQueue } from './queue.ts';
export { FreeListPool, heapSlab, type Slab, type SlabPool } from './slab.ts';
export { WindowedMax } from './windowed.ts';
