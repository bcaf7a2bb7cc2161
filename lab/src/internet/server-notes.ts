/** What the file server tells the runner, one JSON document a line on its stdout. Times are of the monotonic clock. */
export type ServerNote =
  | { kind: 'listening' }
  | { kind: 'request'; id: string; connection: number; from: string; atMs: number }
  | { kind: 'progress'; id: string; bytes: number; firstMs: number }
  | { kind: 'taken'; id: string; wrongAt: number; sha256: string; arrivals: [number, number][] };
