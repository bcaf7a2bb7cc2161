/** docs/start.md walked through: its own commands, on machines in namespaces, to a bonded download and back to nothing. */
import { readFileSync } from 'node:fs';

import { daemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { LabNames } from '../../lab/src/network/addresses.ts';
import { sweep } from '../../lab/src/network/sweep.ts';
import { inTurn, until } from '../../lab/src/process/in-turn.ts';
import { differences, networkState, type NetworkState } from '../../lab/src/product/network-state.ts';
import { parseScenario } from '../../lab/src/scenario/scenario-file.ts';
import { setStage, type Stage, strikeStage } from '../../lab/src/stage.ts';
import { isPrinted, type Place, type Step, stepsOf } from './walk/document.ts';
import { Machine, type Outcome } from './walk/machine.ts';

const steps = stepsOf(readFileSync(new URL('../start.md', import.meta.url), 'utf8'));
const names = new LabNames(`${process.env['TRESSE_LAB_PREFIX'] ?? 'tresse-'}walk-`);
const netns: Record<Place, string> = { server: names.relay, box: names.box, host: names.lan };
const { lines } = parseScenario(
  'start.yaml',
  `title: two lines
lines:
  - { name: wan1, kind: adsl, delay: 15 ms, down: 12 Mbit/s, up: 4 Mbit/s }
  - { name: wan2, kind: 4g, delay: 25 ms, down: 20 Mbit/s, up: 8 Mbit/s }
steps: [{ kind: request, bytes: 1 kB }]`,
);
const bytes = 8_000_000;

let stage: Stage;
const machines = new Map<Place, Machine>();
const untouched = new Map<Place, NetworkState>();

const at = (place: Place): Machine => machines.get(place)!;

beforeAll(async () => {
  await sweep(names);
  stage = await setStage({ names, lines, seed: 1, folder: '/tmp', onFault: () => {} });
  await inTurn(['server', 'box', 'host'] as const, async (place) => {
    machines.set(place, await Machine.boot(netns[place]));
    untouched.set(place, await networkState(netns[place]));
  });
}, 120_000);

afterAll(async () => {
  await Promise.all([...machines.values()].map((machine) => machine.shutDown()));
  await strikeStage(stage);
});

/** What is the reader's to fill in. */
const filledIn = new Map([
  ['URL', `http://198.51.100.10/bytes/${bytes}`],
  ['FILE', '/tmp/file'],
]);

const patienceMs = 20_000;

/** Does a step on one of its machines. A look at what goes on is repeated until it shows what the document shows. */
async function walk(place: Place, { commands, prints }: Step): Promise<void> {
  const typed = commands.map((line) => line.replaceAll(/\b[A-Z]{3,}\b/gu, (word) => filledIn.get(word) ?? word));
  const isLook = commands.every((line) => line.startsWith('tresse status'));
  let outcome: Outcome = { status: -1, printed: '' };
  const isAsShown = (): boolean => outcome.status === 0 && (prints === undefined || isPrinted(prints, outcome.printed));
  await until(
    async () => {
      outcome = await type(place, typed);
      return isAsShown();
    },
    250,
    isLook ? patienceMs : 0,
  );
  expect(outcome.status, `${place}: ${typed.join('; ')}\n${outcome.printed}`).toBe(0);
  const shown = prints?.join('\n') ?? '';
  expect(isAsShown(), `${place} prints\n${outcome.printed}\ninstead of\n${shown}`).toBe(true);
  const code = /^TRESSE\S+$/mu.exec(outcome.printed)?.[0];
  if (code !== undefined) filledIn.set('CODE', code);
}

/** Types one command after another, up to the first that fails. Returns all that was printed. */
async function type(place: Place, [command = 'true', ...rest]: readonly string[]): Promise<Outcome> {
  const first = await at(place).run(command);
  if (first.status !== 0 || rest.length === 0) return first;
  const others = await type(place, rest);
  return { status: others.status, printed: first.printed + others.printed };
}

async function walkAll(some: readonly Step[]): Promise<void> {
  const visits = some.flatMap((step) => step.places.map((place) => ({ step, place })));
  await inTurn(visits, ({ step, place }) => walk(place, step));
}

test('there is a walk to be walked', () => {
  expect(steps.flatMap((step) => step.commands).filter((line) => line.startsWith('tresse ')).length).toBeGreaterThan(6);
  for (const step of steps) expect(step.places).not.toEqual([]);
});

const undoAt = steps.findIndex((step) => step.commands.some((line) => line.includes('disable --now')));

test('from nothing to a bonded download, as the document says', async () => {
  await walkAll(steps.slice(0, undoAt));
  const { printed } = await at('host').run('wc -c </tmp/file');
  expect(Number(printed)).toBe(bytes);
  const status = daemonStatus.parse(JSON.parse((await at('box').run('tresse status --json')).printed));
  expect(status.uplinks.map((one) => one.verdict)).toEqual(['up', 'up']);
  // By both lines, and by the relay's address.
  for (const one of status.uplinks) expect(one.path?.bytesIn).toBeGreaterThan(bytes / 10);
  expect(stage.server.requestsOf('').map((one) => one.from)).toEqual([expect.stringContaining('203.0.113.1')]);
}, 120_000);

test('the undo leaves nothing', async () => {
  await walkAll(steps.slice(undoAt));
  await inTurn(['server', 'box'] as const, async (place) => {
    expect(differences(untouched.get(place)!, await networkState(netns[place]))).toEqual([]);
    expect(await at(place).left()).toEqual([]);
  });
}, 120_000);
