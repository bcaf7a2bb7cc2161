/** What the client of a crowd is told to do, a JSON document a line on its stdin, one at a time. */
export type CrowdOrder =
  /** So many connections, each with one exchange to show that it goes through. */
  | { do: 'open'; count: number }
  /** One exchange on every connection every so often, spread over the time between. */
  | { do: 'talk'; everyMs: number; forMs: number }
  /** Resets all connections, which leaves nothing waiting in the kernel. */
  | { do: 'close' };

/** What came of an order, on its stdout. */
export interface CrowdNote {
  /** Connections that are open, of those that ever were asked for and not closed. */
  readonly open: number;
  readonly exchanges: number;
  /** Exchanges whose bytes came back, all and right. */
  readonly right: number;
  /** Milliseconds from sending to the last byte, of those that were right. */
  readonly msMedian: number | null;
  readonly msMax: number | null;
  /** What went wrong first. */
  readonly why: string;
}
