import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Prng, UserError } from '@tresse/kit';
import { monotonicMs } from '@tresse/sys';

import type { ServerProcess } from '../internet/server-process.ts';
import { farHostOf } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import type { Content } from './content.ts';

/** A sum far out in the tail is met once in some ten thousand drawings. */
const drawingsMax = 300_000;

/** The sizes of a page's objects, log-uniform, drawn until their sum fits. Throws UserError `NO_PAGE` where it never does. */
export function drawSizes(
  of: { objects: number; bytes: readonly [number, number]; total: readonly [number, number] },
  seed: number,
): number[] {
  const prng = new Prng(seed);
  for (let drawing = 0; drawing < drawingsMax; drawing++) {
    const sizes = Array.from({ length: of.objects }, () => Math.round(prng.logUniform(...of.bytes)));
    const sum = sizes.reduce((total, bytes) => total + bytes, 0);
    if (sum >= of.total[0] && sum <= of.total[1]) return sizes;
  }
  throw new UserError('NO_PAGE', `${of.objects} objects of these sizes hardly ever have a sum in "total"`);
}

/** One load of a page by curl. */
export interface PageOrder {
  /** Unique within the server's life. */
  readonly id: string;
  readonly netns: string;
  readonly server: ServerProcess;
  readonly content: Content;
  /** Where the objects are put meanwhile. */
  readonly folder: string;
  /** Of the objects, which the hosts have in turn. */
  readonly sizes: readonly number[];
  readonly hosts: number;
  readonly parallel: number;
  /** Local address of the connections. */
  readonly from?: string;
}

/** What became of it. */
export interface PageLoad {
  /** From the client's first connect to the last byte. */
  readonly ms: number;
  /** Whether every object came, with the right bytes. */
  readonly whole: boolean;
  /** Whose address the server saw: of all requests the same, or else all of them. */
  readonly from: string;
  readonly why: string;
}

/** Loads the page by a process of its own. Never rejects for what the network does: what went wrong is in what comes back. */
export async function loadPage(order: PageOrder): Promise<PageLoad> {
  const folder = join(order.folder, order.id);
  mkdirSync(folder, { recursive: true });
  try {
    const config = join(folder, 'urls');
    const fileOf = (i: number): string => join(folder, String(i));
    writeFileSync(config, order.sizes.map((bytes, i) => `${urlOf(order, bytes, i)}output = "${fileOf(i)}"\n`).join(''));
    const bind = order.from === undefined ? [] : ['--interface', order.from];
    const options = ['--parallel', '--parallel-max', String(order.parallel), '-w', '%{stderr}took %{time_total}\n'];
    const child = new Child(order.netns, ['curl', '-q', '-sS', '--noproxy', '*', ...options, ...bind, '-K', config]);
    const { ms, complaint } = await follow(child);
    const wrong = order.sizes.findIndex((bytes, i) => !right(fileOf(i), order.content.first(bytes)));
    const seen = new Set(order.server.requestsOf(order.id).map((request) => request.from));
    const why = complaint || (wrong < 0 ? '' : `object ${wrong} is not whole`);
    return { ms, whole: why === '', from: [...seen].join(', '), why };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function urlOf({ hosts, server, id }: PageOrder, bytes: number, index: number): string {
  return `url = "http://${farHostOf(index % hosts)}:${server.port}/bytes/${bytes}?id=${id}"\n`;
}

/** The transfers' own times are counted back from when each was told: starting a process takes a time that is not the network's. */
async function follow(child: Child): Promise<{ ms: number; complaint: string }> {
  let [beganMs, endedMs] = [Infinity, 0];
  let complaint = '';
  let rest = '';
  child.process.stdout?.resume();
  child.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const now = monotonicMs();
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const seconds = /^took ([\d.]+)$/u.exec(line)?.[1];
      if (seconds === undefined) complaint ||= line;
      else [beganMs, endedMs] = [Math.min(beganMs, now - Number(seconds) * 1_000), now];
    }
  });
  const { status } = await child.ended;
  return {
    ms: Math.max(0, endedMs - beganMs),
    complaint: status === 0 ? '' : complaint || `curl ended with ${status}`,
  };
}

function right(file: string, wanted: Buffer): boolean {
  try {
    return readFileSync(file).equals(wanted);
  } catch {
    return false;
  }
}
