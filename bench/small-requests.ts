/** Small requests through box and relay: time to first byte, streams a second, memory of an idle stream. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { run } from '@tresse/sys';

import { median } from './contest.ts';
import { cores, Pinned } from './pinned.ts';
import { type Product, startProduct, stopProduct } from './product.ts';
import { at, netns, onStage } from './stage.ts';
import { printTable, ratio, shown } from './table.ts';

const port = '8080';
const patience = { netns: netns.lan, timeoutMs: 20_000 };
/** As many as the client opens. */
const idleCount = 3_000;
/** What was opened settles: buffers are given back, the far ends stand. */
const settleMs = 1_500;

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
  return [`${shown(perS)} /s`, `${shown(share * 100)} %`];
}

async function idleMemory(product: Product): Promise<string[]> {
  const before = [product.box.residentBytes(), product.relay.residentBytes()];
  const argv = ['netns', 'exec', netns.lan, ...client('idle', at.lan)];
  const child = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const after = [product.box.residentBytes(), product.relay.residentBytes()];
    return after.map((bytes, i) => `${shown((bytes - (before[i] ?? 0)) / 1_024 / idleCount)} kB`);
  } finally {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
  }
}

/** Runs and prints it. Throws CommandError, SystemError `BENCH` where the stage or the daemons fail. */
export async function smallRequests(): Promise<void> {
  await onStage(async (folder) => {
    const server = new Pinned([...script('small-server.ts'), port], { netns: netns.inet, core: cores.load });
    const product = await startProduct(folder);
    try {
      await firstByte();
      const [boxIdle = '-', relayIdle = '-'] = await idleMemory(product);
      const [perS = '-', cpu = '-'] = await streams(product);
      printTable(
        'Streams',
        ['', 'figure'],
        [
          ['opened, answered and closed', perS],
          ['  of one core, box and relay', cpu],
          [`memory of an idle stream, box (${idleCount})`, boxIdle],
          ['memory of an idle stream, relay', relayIdle],
        ],
      );
    } finally {
      await stopProduct(product);
      await server.stop();
    }
  });
}
