import type { Stream } from './stream.ts';

/**
 * Bytes [offset, offset + length) of a stream, cut once: every copy keeps the same boundaries, so that the receiver
 * drops a copy by its offset. Kept until the peer acknowledges any copy.
 */
export class Chunk {
  readonly kind = 'chunk';
  readonly stream: Stream;
  readonly offset: number;
  readonly length: number;
  acked = false;
  /** Waits in its stream's resend queue. */
  lost = false;
  /** When it was given up with its strand; Infinity where it is only overdue. */
  lostMs: number = Infinity;
  /** Times written to a strand. */
  sends = 0;
  /** Path and strand of the last copy. */
  path = 0;
  strand = 0;
  sentMs = 0;
  /** When its acknowledgement should be here, by the last copy. */
  dueMs = 0;
  /** Of the last copy's strand: bytes given with it, bytes acknowledged when it left, and when those last grew (see RecordFlight). */
  flightEnd = 0;
  ackedThen = 0;
  ackedThenMs = 0;

  constructor(stream: Stream, offset: number, length: number) {
    this.stream = stream;
    this.offset = offset;
    this.length = length;
  }
}

/** A small frame that is kept until acknowledged and made again from the current value. */
export type ControlKind = 'open' | 'opened' | 'fin' | 'reset' | 'credit';

export class Control {
  readonly kind: ControlKind;
  readonly stream: Stream;
  /** Waits in the session's control queue. */
  pending = false;
  /** On a strand and not yet acknowledged. */
  outstanding = 0;
  acked = false;

  constructor(kind: ControlKind, stream: Stream) {
    this.kind = kind;
    this.stream = stream;
  }
}

export type SentItem = Chunk | Control;
