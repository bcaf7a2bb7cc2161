/**
 * Worlds of the simulator in the lab. `node tools/samples.ts write DIR` writes scenario files for `tresse lab run FILE --json > FILE.json`;
 * `node tools/samples.ts read DIR` takes the goodput out of what those runs said (DIR/world-N*.json) into sim/test/sample-figures.json.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type DirectionSpec, drawSample, type Sample } from '@tresse/sim';

const samples = 8;
const figuresFile = join(import.meta.dirname, '../sim/test/sample-figures.json');

function direction(spec: DirectionSpec): string {
  const { rateBps, delayMs, jitterMs, lossRatio, queueMs, reorderRatio = 0, reorderMs = 0 } = spec;
  const parts = [
    `rate: ${rateBps / 1e6} Mbit/s`,
    `delay: ${delayMs} ms`,
    `jitter: ${jitterMs} ms`,
    `loss: ${Math.round(lossRatio * 1_000) / 10} %`,
    `queue: ${queueMs} ms`,
  ];
  if (reorderRatio > 0) parts.push(`reorder: { share: ${reorderRatio * 100} %, by: ${reorderMs} ms }`);
  return `{ ${parts.join(', ')} }`;
}

function scenario({ seed, lines, bytes }: Sample): string {
  const rows = lines.map(
    ({ down, up }, i) =>
      `  - name: wan${i + 1}\n    kind: other\n    down: ${direction(down)}\n    up: ${direction(up)}`,
  );
  return [
    `title: World ${seed} of the simulator`,
    'compare: false',
    'lines:',
    ...rows,
    'steps:',
    '  - kind: download',
    `    bytes: ${bytes / 1e6} MB`,
    '',
  ].join('\n');
}

function write(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (let seed = 1; seed <= samples; seed++)
    writeFileSync(join(folder, `world-${seed}.yaml`), scenario(drawSample(seed)));
}

interface Run {
  readonly verdict: string;
  readonly steps: readonly { readonly goodputBitsPerSecond: number }[];
}

function read(folder: string): void {
  const figures: { seed: number; goodputBps: number[] }[] = [];
  for (let seed = 1; seed <= samples; seed++) {
    const files = readdirSync(folder).filter((file) => file.startsWith(`world-${seed}.`) && file.endsWith('.json'));
    const runs = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Run);
    // What the machine was too slow for says nothing.
    const sound = runs.filter((run) => run.verdict === 'pass');
    figures.push({ seed, goodputBps: sound.map((run) => Math.round(run.steps[0]?.goodputBitsPerSecond ?? 0)) });
  }
  writeFileSync(figuresFile, `${JSON.stringify(figures, undefined, 1)}\n`);
}

const [verb, folder] = process.argv.slice(2);
if (verb === 'write' && folder !== undefined) write(folder);
else if (verb === 'read' && folder !== undefined) read(folder);
else {
  process.stderr.write('usage: node tools/samples.ts write|read DIR\n');
  process.exitCode = 2;
}
