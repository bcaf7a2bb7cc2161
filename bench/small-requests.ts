/** Small requests through box and relay: time to first byte, streams a second, memory of an idle stream. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { SystemError } from '@tresse/kit';
import { run } from '@tresse/sys';

import { median } from './contest.ts';
import { cores, Pinned } from './pinned.ts';
import { type Product, startProduct, stopProduct } from './product.ts';
import { at, netns, onStage } from './stage.ts';
import { printTable, ratio, shown } from './table.ts';

const port = '8080';
const patience = { netns: netns.lan, timeoutMs: 20_000 };
/** As many as the client opens. */
const counts = { idle: 3_000, live: 1_000 } as const;
/** What was opened settles: buffers are given back, the far ends stand. */
const settleMs = 3_000;

function script(name: string): string[] {
  return [process.execPath, join(import.meta.dirname, name)];
}

const client = (what: string, ...from: string[]): string[] => [
  'taskset',
  '-c',
  String(cores.load),
  ...script('small-client.ts'),
  at.inet,
  port,
  what,
  ...from,
];

const tail = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length * 0.95)] ?? Number.NaN;

async function firstByte(): Promise<void> {
  const answer = await run(client('first-byte', at.lan, at.lanPlain), patience);
  const [bond = [], direct = []] = JSON.parse(answer) as number[][];
  const [own, other] = [median(bond), median(direct)];
  printTable(
    `First byte of a small request, a new connection each (${bond.length} each, by turns)`,
    ['', 'median ms', '95 % ms', 'of direct', 'added ms'],
    [
      ['through box and relay', shown(own), shown(tail(bond)), ratio(own, other), shown(own - other)],
      ['direct, same hops', shown(other), shown(tail(direct)), '1.00x', '-'],
    ],
  );
}

async function streams(product: Product): Promise<string[]> {
  const cpu = (): number => product.box.cpuS() + product.relay.cpuS();
  const before = cpu();
  const startedMs = performance.now();
  const perS = JSON.parse(await run(client('requests', at.lan), patience)) as number;
  const seconds = (performance.now() - startedMs) / 1_000;
  // The client starts and warms up in that time too, when no stream is opened.
  const share = Math.min(1, (cpu() - before) / seconds);
  return [`${shown(perS)} /s`, `${shown(share * 100)} %`, `${shown(perS / share)} /s`];
}

/** What one such stream takes of both daemons' memory. */
async function memoryOf(what: keyof typeof counts, product: Product): Promise<string[]> {
  const before = [product.box.residentBytes(), product.relay.residentBytes()];
  const argv = ['netns', 'exec', netns.lan, ...client(what, at.lan)];
  const child = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const ended = once(child, 'close').then(() => {
      throw new SystemError('BENCH', `the client of ${what} streams ended early`);
    });
    await Promise.race([once(child.stdout, 'data'), ended]);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const after = [product.box.residentBytes(), product.relay.residentBytes()];
    return after.map((bytes, i) => `${shown((bytes - (before[i] ?? 0)) / 1_024 / counts[what])} kB`);
  } finally {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
  }
}

/** Fresh daemons: what earlier streams have left in their pools is in nobody's figure. */
async function onProduct<R>(folder: string, work: (product: Product) => Promise<R>): Promise<R> {
  const product = await startProduct(mkdtempSync(join(folder, 'product-')));
  try {
    return await work(product);
  } finally {
    await stopProduct(product);
  }
}

/** Runs and prints it. Throws CommandError, SystemError `BENCH` where the stage or the daemons fail. */
export async function smallRequests(): Promise<void> {
  await onStage(async (folder) => {
    const server = new Pinned([...script('small-server.ts'), port], { netns: netns.inet, core: cores.load });
    try {
      const [perS = '-', cpu = '-', perCore = '-'] = await onProduct(folder, async (product) => {
        await firstByte();
        return await streams(product);
      });
      const [boxIdle = '-', relayIdle = '-'] = await onProduct(folder, (product) => memoryOf('idle', product));
      const [boxLive = '-', relayLive = '-'] = await onProduct(folder, (product) => memoryOf('live', product));
      printTable(
        'Streams',
        ['', 'figure'],
        [
          ['opened, answered and closed', perS],
          ['  of one core, box and relay', cpu],
          ['  with a whole core', perCore],
          [`memory of an idle stream (${counts.idle}), box`, boxIdle],
          ['  relay', relayIdle],
          [`memory of a live stream (${counts.live}, 1 kB and back every second), box`, boxLive],
          ['  relay', relayLive],
        ],
      );
    } finally {
      await server.stop();
    }
  });
}
