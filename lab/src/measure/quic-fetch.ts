import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { monotonicMs, run } from '@tresse/sys';

import { Child } from '../process/child.ts';
import { Arrivals } from './arrivals.ts';
import { type Content, ContentCheck } from './content.ts';

/** One download by HTTP/3. */
export interface QuicOrder {
  readonly netns: string;
  readonly address: string;
  readonly port: number;
  /** Name of the file at the server. */
  readonly file: string;
  readonly content: Content;
  /** For files of its own. */
  readonly folder: string;
  readonly patienceMs: number;
  readonly onBytes: (total: number) => void;
}

/** What was seen of it. Times are of the monotonic clock. */
export interface QuicFetch {
  readonly startMs: number;
  readonly arrivals: Arrivals;
  /** Status of the client, 0 where all went well. */
  readonly status: number;
  /** Its words where the status is not 0. */
  readonly complaint: string;
  readonly sha256: string;
  readonly wrongAt: number;
}

/** Fetches the file by Debian's client of ngtcp2, which writes it to a pipe. Never rejects but where the pipe cannot be made: what went wrong is in it. */
export async function fetchByQuic(order: QuicOrder): Promise<QuicFetch> {
  const pipe = join(order.folder, order.file);
  rmSync(pipe, { force: true });
  await run(['mkfifo', pipe]);
  const arrivals = new Arrivals();
  const check = new ContentCheck(order.content);
  const reader = new Child(order.netns, ['cat', pipe]);
  reader.process.stdout?.on('data', (piece: Buffer) => {
    arrivals.add(piece.length, monotonicMs());
    check.take(piece);
    order.onBytes(arrivals.bytes);
  });
  const startMs = monotonicMs();
  const client = new Child(order.netns, clientOf(order));
  let complaint = '';
  for (const output of [client.process.stdout, client.process.stderr])
    output?.setEncoding('utf8').on('data', (piece: string) => (complaint = (complaint + piece).slice(-500)));
  const stuck = setTimeout(() => client.process.kill('SIGKILL'), order.patienceMs);
  const { status } = await client.ended;
  clearTimeout(stuck);
  // What was never opened is never closed: the reader would wait for ever.
  await reader.stop(arrivals.bytes === 0 ? 0 : 1_000);
  rmSync(pipe, { force: true });
  return { startMs, arrivals, status, complaint: complaint.trim(), sha256: check.digest(), wrongAt: check.wrongAt };
}

/** It asks for nobody's certificate by name, for it calls an address `localhost`, and trusts any. */
function clientOf({ address, port, file, folder }: QuicOrder): string[] {
  const quiet = ['-q', '--no-quic-dump', '--no-http-dump'];
  const how = ['--exit-on-all-streams-close', `--download=${folder}`];
  return ['gtlsclient', ...quiet, ...how, address, String(port), `https://localhost/${file}`];
}
