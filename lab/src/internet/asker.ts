import { get } from 'node:http';

import { monotonicMs } from '@tresse/sys';

/** What became of one request; times of the monotonic clock. */
export interface AskNote {
  readonly id: string;
  readonly beganMs: number;
  /** When the first byte of the answer came; null where none did. */
  readonly answeredMs: number | null;
  /** Why none did. */
  readonly why: string;
}

/**
 * Started by the runner inside the LAN host's namespace: `node asker.ts URL EVERY_MS PATIENCE_MS PREFIX`. Asks for a few bytes again and again, each time
 * by a new connection, whatever became of those before. Stops asking when its stdin ends, and ends when the last request has.
 */
const [base = '', every = '', patience = '', prefix = ''] = process.argv.slice(2);
let count = 0;

function ask(): void {
  const id = `${prefix}-${count++}`;
  const beganMs = monotonicMs();
  const url = `${base}/bytes/100?id=${id}`;
  let told = false;
  const tell = (answeredMs: number | null, why: string): void => {
    if (told) return;
    told = true;
    process.stdout.write(`${JSON.stringify({ id, beganMs, answeredMs, why } satisfies AskNote)}\n`);
  };
  const request = get(url, { agent: false, timeout: Number(patience) }, (answer) => {
    answer.once('data', () => tell(monotonicMs(), ''));
    answer.on('error', (error) => tell(null, error.message));
    answer.resume();
  });
  const timer = setTimeout(() => request.destroy(new Error('no answer in time')), Number(patience));
  request.on('error', (error: NodeJS.ErrnoException) => tell(null, error.code ?? error.message));
  request.on('close', () => clearTimeout(timer));
}

ask();
const timer = setInterval(ask, Number(every));
process.stdin.on('end', () => clearInterval(timer)).resume();
process.on('SIGINT', () => undefined);
