import { createHash } from 'node:crypto';
import { get } from 'node:http';

import { monotonicMs } from '@tresse/sys';

/** What became of one request; times of the monotonic clock. */
export interface AskNote {
  readonly id: string;
  readonly beganMs: number;
  /** When the first byte of the answer came; null where none did. */
  readonly answeredMs: number | null;
  /** When the last one came; null where not all came, and right. */
  readonly wholeMs: number | null;
  /** Why one of them is null. */
  readonly why: string;
}

/**
 * Started by the runner inside the LAN host's namespace: `node asker.ts URL EVERY_MS PATIENCE_MS PREFIX BYTES SHA256`. Asks for a few bytes again and
 * again, each time by a new connection, whatever became of those before, and compares what comes by its hash. Stops asking when its stdin ends, and ends
 * when the last request has.
 */
const [base = '', every = '', patience = '', prefix = '', bytes = '', sha256 = ''] = process.argv.slice(2);
let count = 0;

function ask(): void {
  const id = `${prefix}-${count++}`;
  const beganMs = monotonicMs();
  const url = `${base}/bytes/${bytes}?id=${id}`;
  const hash = createHash('sha256');
  let answeredMs: number | null = null;
  let told = false;
  const tell = (wholeMs: number | null, why: string): void => {
    if (told) return;
    told = true;
    process.stdout.write(`${JSON.stringify({ id, beganMs, answeredMs, wholeMs, why } satisfies AskNote)}\n`);
  };
  const request = get(url, { agent: false, timeout: Number(patience) }, (answer) => {
    answer.on('data', (piece: Buffer) => {
      answeredMs ??= monotonicMs();
      hash.update(piece);
    });
    answer.on('end', () => {
      const endedMs = monotonicMs();
      if (hash.digest('hex') === sha256) tell(endedMs, '');
      else tell(null, 'wrong bytes');
    });
    answer.on('error', (error) => tell(null, error.message));
  });
  const timer = setTimeout(() => request.destroy(new Error('no answer in time')), Number(patience));
  request.on('error', (error: NodeJS.ErrnoException) => tell(null, error.code ?? error.message));
  request.on('close', () => clearTimeout(timer));
}

ask();
const timer = setInterval(ask, Number(every));
process.stdin.on('end', () => clearInterval(timer)).resume();
process.on('SIGINT', () => undefined);
