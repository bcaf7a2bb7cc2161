import { get } from 'node:http';

import { monotonicMs } from '@tresse/sys';

import { Arrivals } from '../measure/arrivals.ts';
import { Content, ContentCheck } from '../measure/content.ts';
import type { FlowNote, FlowsNote, FlowsOrder } from './flows-order.ts';

/** Started by the runner inside the LAN host's namespace: begins all downloads of its order at once, and compares every byte. Ends when all have, or when it is told to by SIGTERM. */
const order = JSON.parse(process.argv[2] ?? '') as FlowsOrder;
const content = new Content(order.seed);
const arrivals = new Arrivals();

async function download(id: string, bytes: number): Promise<FlowNote> {
  const beganMs = monotonicMs();
  const check = new ContentCheck(content);
  let firstMs: number | null = null;
  let came = 0;
  return await new Promise((resolve) => {
    const end = (why: string): void => {
      const right = came === bytes && check.wrongAt < 0;
      const said = check.wrongAt >= 0 ? `wrong from byte ${check.wrongAt} on` : `${came} of ${bytes} bytes: ${why}`;
      resolve({ id, beganMs, firstMs, wholeMs: right ? monotonicMs() : null, why: right ? '' : said });
    };
    const request = get(`${order.base}/bytes/${bytes}?id=${id}`, { agent: false }, (answer) => {
      answer.on('data', (piece: Buffer) => {
        const now = monotonicMs();
        firstMs ??= now;
        came += piece.length;
        arrivals.add(piece.length, now);
        check.take(piece);
      });
      answer.on('end', () => end('the answer ended'));
      answer.on('error', (error) => end(error.message));
    });
    request.on('error', (error) => end(error.message));
    process.once('SIGTERM', () => request.destroy(new Error('no end in sight')));
  });
}

process.setMaxListeners(0);
const flows = await Promise.all(order.flows.map(({ id, bytes }) => download(id, bytes)));
process.stdout.write(`${JSON.stringify({ flows, arrivals: arrivals.toPairs() } satisfies FlowsNote)}\n`);
