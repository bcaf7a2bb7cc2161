import { join } from 'node:path';
import { execPath } from 'node:process';

import { SystemError } from '@tresse/kit';

import type { FlowNote, FlowsNote, FlowsOrder } from '../clients/flows-order.ts';
import type { ServerProcess } from '../internet/server-process.ts';
import { Child } from '../process/child.ts';
import { Arrivals } from './arrivals.ts';

/** One of many downloads, and what the server saw of it. */
export interface Flow extends FlowNote {
  readonly bytes: number;
  readonly requests: number;
  readonly from: string;
}

export interface ManyFlows {
  readonly flows: Flow[];
  /** Of all flows together. */
  readonly arrivals: Arrivals;
}

/** Downloads of these sizes, all begun at once. Those that have not ended after `patienceMs` are broken off. Throws SystemError `FLOWS` where the client itself fails. */
export async function downloadAll(
  netns: string,
  server: ServerProcess,
  order: { prefix: string; seed: number; sizes: readonly number[]; patienceMs: number },
): Promise<ManyFlows> {
  const base = `http://${server.address}:${server.port}`;
  const wanted = order.sizes.map((bytes, i) => ({ id: `${order.prefix}-${i}`, bytes }));
  const told: FlowsOrder = { base, seed: order.seed, flows: wanted };
  const program = join(import.meta.dirname, '../clients/flows-client.ts');
  const child = new Child(netns, [execPath, program, JSON.stringify(told)]);
  let said: FlowsNote | undefined;
  let complaint = '';
  child.onLine((line) => (said = JSON.parse(line) as FlowsNote));
  child.process.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const stuck = setTimeout(() => child.process.kill('SIGTERM'), order.patienceMs);
  const { status } = await child.ended;
  clearTimeout(stuck);
  if (said === undefined)
    throw new SystemError('FLOWS', `the client of many flows ended with ${status}: ${complaint.trim()}`);
  const flows = said.flows.map((flow, i): Flow => {
    const requests = server.requestsOf(flow.id);
    const seen = { bytes: order.sizes[i] ?? 0, requests: requests.length, from: requests[0]?.from ?? '' };
    return Object.assign(flow, seen);
  });
  return { flows, arrivals: Arrivals.fromPairs(said.arrivals) };
}
