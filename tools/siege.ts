/**
 * A million hostile inputs on the relay's TCP port and a million on its UDP port, or as many as the argument says: `npm run siege -- 100000`. Runs the
 * tests of hostile bytes with so many inputs of all kinds together, tells how far it is, and prints a table by kind: sent, memory and
 * descriptors before and after. Ends with 1 when an input was not counted, or anything was left behind.
 */
import { type Reporter, startVitest, type TestCase } from 'vitest/node';

const files = ['engine/test/hostile.test.ts', 'engine/test/hostile-datagrams.test.ts', 'daemon/test/hostile.test.ts'];
/** Kinds these tests tell of: openings, records, frames, TLS starts, messages; and handshakes, hellos within good ones. */
const lightKinds = 5;
const heavyKinds = 2;
/** Of datagrams: noise, guesses, copies, damage, lies. */
const datagramKinds = 5;
/** A handshake costs as much as many inputs of the other kinds: so many fewer of them come. */
const heavyShare = 0.25;
/** From a quarter on memory may grow by this, MB: by then heaps have their size, and the data plane's thread collects when it likes. */
const growthMax = 64;

interface Told {
  readonly sent: number;
  readonly megabytes: number;
  readonly open: number;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** `openings: 4000 sent, 198 MB, 11 sockets`: what a test tells of its progress. */
function read(message: string): { kind: string; told: Told } | undefined {
  const [, kind, sent, megabytes, open] = /^([\w ]+): (\d+) sent, (\d+) MB, (\d+) /u.exec(message) ?? [];
  return kind === undefined
    ? undefined
    : { kind, told: { sent: Number(sent), megabytes: Number(megabytes), open: Number(open) } };
}

/** Hears the tests, and keeps what they told. */
class Chronicle implements Reporter {
  readonly told = new Map<string, Told[]>();
  failed = 0;
  readonly #beganMs = performance.now();

  onTestCaseAnnotate(_: TestCase, { message }: { readonly message: string }): void {
    const word = read(message);
    if (!word) return;
    const sofar = this.told.get(word.kind) ?? [];
    sofar.push(word.told);
    this.told.set(word.kind, sofar);
    say(`${((performance.now() - this.#beganMs) / 1_000).toFixed(0).padStart(5)} s  ${message}`);
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state !== 'failed') return;
    this.failed++;
    say(`FAILED  ${test.name}\n  ${errors.map((error) => error.message).join('\n  ')}`);
  }
}

/** One row of the table, and whether what was there before is there after. */
function row(kind: string, told: readonly Told[]): { text: string; flat: boolean } {
  const [first] = told;
  const last = told.at(-1);
  const warm = told.find(({ sent }) => last !== undefined && sent * 4 >= last.sent);
  if (!first || !last || !warm) return { text: kind, flat: false };
  const cells = [last.sent, first.megabytes, warm.megabytes, last.megabytes, first.open, last.open];
  return {
    text: `${kind.padEnd(12)}${cells.map((cell) => String(cell).padStart(12)).join('')}`,
    flat: last.megabytes - warm.megabytes <= growthMax && last.open <= first.open,
  };
}

const total = Number(process.argv[2] ?? 1_000_000);
const inputs = Math.ceil(total / (lightKinds + heavyShare * heavyKinds));
process.env['TRESSE_INPUTS'] = String(inputs);
process.env['TRESSE_DATAGRAMS'] = String(Math.ceil(total / datagramKinds));
process.env['TRESSE_HANDSHAKES'] = String(Math.ceil(inputs * heavyShare));
const chronicle = new Chronicle();
const vitest = await startVitest('test', files, { run: true, project: ['unit'], reporters: [chronicle] });
await vitest.close();
const heads = ['sent', 'MB before', 'MB warm', 'MB after', 'open before', 'open after'];
say(`${'kind'.padEnd(12)}${heads.map((head) => head.padStart(12)).join('')}`);
let sent = 0;
let sound = chronicle.told.size === lightKinds + heavyKinds + datagramKinds && chronicle.failed === 0;
for (const [kind, told] of chronicle.told) {
  const { text, flat } = row(kind, told);
  say(text);
  sent += told.at(-1)?.sent ?? 0;
  sound &&= flat;
}
say(
  `${sent} hostile inputs: ${sound ? 'all refused and counted, nothing left behind' : 'something is wrong, see above'}`,
);
process.exitCode = sound ? 0 : 1;
