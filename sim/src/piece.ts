import { segmentBytes } from '@tresse/core';

/** A run of segments of a connection, sent together. What is lost or strays is a run of its own. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  sentMs: number;
  /** Place in the order of all transmissions; changes when it is sent again. */
  order: number;
  retransmitted: boolean;
  /** At the other end. */
  arrived: boolean;
  /** Known here to have arrived. */
  acked: boolean;
  /** Thought lost, and not sent again yet. */
  lost: boolean;
  /** When it was sent: delivered so far and when the last of it was, and when what began that flight was sent. */
  deliveredThen: number;
  deliveredThenMs: number;
  flightSinceMs: number;
  sourceLimited: boolean;
}

/** Segments in so many bytes. */
export const segmentsOf = (bytes: number): number => Math.ceil(bytes / segmentBytes);
