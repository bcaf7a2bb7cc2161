import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

import { monotonicMs } from '@tresse/sys';

import { Content, ContentCheck } from '../measure/content.ts';

/** One transfer to make. */
export interface FetchOrder {
  readonly id: string;
  readonly direction: 'down' | 'up';
  readonly host: string;
  readonly port: number;
  readonly bytes: number;
  /** Local address of the connection; the kernel's choice where absent. */
  readonly from?: string;
}

/** What the client saw of it; times of the monotonic clock. */
export interface FetchNote {
  readonly id: string;
  /** When it began to connect. */
  readonly beganMs: number;
  /** When the last bytes of the answer came. */
  readonly lastMs: number;
  /** Bytes of the answer, and where the first wrong one was; -1 where all were right. */
  readonly bytes: number;
  readonly wrongAt: number;
  /** Empty where all went well. */
  readonly why: string;
}

const pieceBytes = 262_144;
const patienceMs = 60_000;

/**
 * Started by the runner in a client's namespace: `node fetcher.ts SEED`. Takes orders from stdin, one JSON document a line, makes each by a connection
 * of its own, and tells of each on stdout. It stays, because to start a process takes longer than a small transfer. Ends when stdin does.
 */
const content = new Content(Number(process.argv[2]));

function fetch({ id, direction, host, port, bytes, from }: FetchOrder): void {
  const down = direction === 'down';
  const check = new ContentCheck(content);
  const beganMs = monotonicMs();
  let lastMs = beganMs;
  let came = 0;
  let told = false;
  const tell = (why: string): void => {
    if (told) return;
    told = true;
    const note: FetchNote = { id, beganMs, lastMs, bytes: came, wrongAt: check.wrongAt, why };
    process.stdout.write(`${JSON.stringify(note)}\n`);
  };
  const way = down
    ? { method: 'GET', path: `/bytes/${bytes}?id=${id}` }
    : { method: 'PUT', path: `/sink?id=${id}`, headers: { 'content-length': bytes } };
  const bind = from === undefined ? {} : { localAddress: from };
  const client = request({ host, port, agent: false, timeout: patienceMs, ...way, ...bind }, (answer) => {
    answer.on('data', (piece: Buffer) => {
      // Before the bytes are looked at: that time is not the network's.
      lastMs = monotonicMs();
      came += piece.length;
      check.take(piece);
    });
    answer.on('end', () => tell(''));
    answer.on('error', (error) => tell(error.message));
  });
  client.on('timeout', () => client.destroy(new Error('nothing moved for a minute')));
  client.on('error', (error: NodeJS.ErrnoException) => tell(error.code ?? error.message));
  if (down) client.end();
  else Readable.from(pieces(bytes)).pipe(client);
}

function* pieces(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += pieceBytes) yield content.slice(at, Math.min(pieceBytes, bytes - at));
}

const orders = createInterface({ input: process.stdin });
orders.on('line', (line) => fetch(JSON.parse(line) as FetchOrder));
orders.on('close', () => process.exit(0));
process.on('SIGINT', () => undefined);
