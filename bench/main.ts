/** `make bench`, or `node bench/main.ts [--only NAME]`: prints the benchmark tables. README.md tells how to read them. */
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';

import { sentenceOf, UserError } from '@tresse/kit';

import { sealing } from './aead.ts';
import { calls } from './calls.ts';
import { inTurn } from './contest.ts';
import { core } from './core.ts';
import { packetLane } from './packet-lane.ts';
import { smallRequests } from './small-requests.ts';
import { sweepStage } from './stage.ts';
import { streamLane } from './stream-lane.ts';
import { say } from './table.ts';

interface Bench {
  readonly name: string;
  readonly needsStage: boolean;
  readonly run: () => Promise<void>;
}

const benches: readonly Bench[] = [
  { name: 'aead', needsStage: false, run: sealing },
  { name: 'calls', needsStage: false, run: calls },
  { name: 'core', needsStage: false, run: core },
  { name: 'stream-lane', needsStage: true, run: streamLane },
  { name: 'packet-lane', needsStage: true, run: packetLane },
  { name: 'small-requests', needsStage: true, run: smallRequests },
];

/** All of it is ended and swept after this, whatever hangs. */
const patienceMs = 480_000;
/** What fails from now on fails because the stage is being taken away. */
let ending = false;
const root = process.getuid?.() === 0;

/** The benches asked for. Throws UserError `BENCH_NAME`. */
function chosen(): readonly Bench[] {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  if (values.only === undefined) return benches;
  const found = benches.filter((bench) => bench.name === values.only);
  if (found.length > 0) return found;
  throw new UserError('BENCH_NAME', `there is no bench "${values.only}": ${benches.map((b) => b.name).join(', ')}`);
}

async function runOne(bench: Bench): Promise<void> {
  if (ending) return;
  if (bench.needsStage && (!root || cpus().length < 2)) {
    say(`\n${bench.name}: -  (needs root, for namespaces, and two cores)`);
    return;
  }
  try {
    await bench.run();
  } catch (error) {
    if (ending) return;
    say(`\n${bench.name}: failed: ${sentenceOf(error)}`);
    process.exitCode = 1;
  }
}

function giveUp(reason: string): void {
  ending = true;
  say(`\nended: ${reason}`);
  void (root ? sweepStage() : Promise.resolve()).finally(() => process.exit(1));
}

try {
  const asked = chosen();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => giveUp(signal));
  setTimeout(() => giveUp(`not finished after ${patienceMs / 1_000} s`), patienceMs).unref();
  say(
    `Node ${process.version}, Linux ${release()}, ${cpus().length} cores. Ratios count: they are taken in one run, by turns.`,
  );
  await inTurn(asked, runOne);
} catch (error) {
  say(sentenceOf(error));
  process.exitCode = 2;
}
