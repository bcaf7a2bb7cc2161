import type { Slab } from '@tresse/kit';

import type { ResetReason } from '../wire/frame.ts';
import type { Stream } from './stream.ts';

/** The local side of the streams: sockets in the engine, models in the simulator. Called back by the session. */
export interface Local {
  /** The peer opened a stream: connect to its target. Answer by `connected` or `reset`. */
  connect(stream: Stream): void;
  /** In-order bytes; returns how many the local peer takes now. Valid during the call only. */
  deliver(stream: Stream, slab: Slab, start: number, length: number): number;
  /** Of the bytes taken, how many the local peer's own TCP has not acknowledged. */
  unacknowledged(stream: Stream): number;
  /** The peer's end of the stream was reached in order: shut the sending direction down. */
  ended(stream: Stream): void;
  /** The stream is over by RESET or by the session's end: the local peer must see a reset. */
  reset(stream: Stream, reason: ResetReason): void;
  /** There is room in the send budget: read on. */
  room(stream: Stream): void;
  /** Both directions are complete and acknowledged: close in order. */
  released(stream: Stream): void;
  /** A message of the peer's daemon; the bytes are the callee's. */
  message?(bytes: Uint8Array): void;
}
