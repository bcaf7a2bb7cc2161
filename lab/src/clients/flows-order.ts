/** What the client of many flows is told: a JSON document as its only argument. */
export interface FlowsOrder {
  readonly base: string;
  /** Of the content that the server gives. */
  readonly seed: number;
  readonly flows: readonly { readonly id: string; readonly bytes: number }[];
}

/** What became of one download; times of the monotonic clock. */
export interface FlowNote {
  readonly id: string;
  /** When the client began to connect. */
  readonly beganMs: number;
  readonly firstMs: number | null;
  /** When the last byte came; null where not all came, and right. */
  readonly wholeMs: number | null;
  /** Why it is null. */
  readonly why: string;
}

/** What it prints in the end, one JSON document. */
export interface FlowsNote {
  readonly flows: FlowNote[];
  /** Arrivals of all flows together. */
  readonly arrivals: [number, number][];
}
