import { plainDirection } from '@tresse/sim';
import { run } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { startEmulator } from '../../src/emulator/index.ts';
import { ServerProcess } from '../../src/internet/server-process.ts';
import { Content } from '../../src/measure/content.ts';
import { beginTransfer, type Transfer } from '../../src/measure/transfer.ts';
import { addresses, LabNames, ports } from '../../src/network/addresses.ts';
import { Internet } from '../../src/network/internet.ts';
import { sweep } from '../../src/network/sweep.ts';
import { Operators } from '../../src/operator/operators.ts';
import type { LineSpec } from '../../src/scenario/scenario.ts';

const names = new LabNames('lab-test-');
const fast = { ...plainDirection, rateBps: 50e6, delayMs: 2 };
const lines: LineSpec[] = [
  { name: 'wan1', kind: '4g', down: fast, up: fast, proxy: true },
  { name: 'wan2', kind: '4g', down: fast, up: fast, nat: { timeoutMs: 60_000 } },
  { name: 'wan3', kind: 'cable', down: fast, up: fast },
];
const content = new Content(1);

let internet: Internet<Awaited<ReturnType<typeof startEmulator>>>;
let operators: Operators;
let server: ServerProcess;
let count = 0;

beforeEach(async () => {
  await sweep(names);
  internet = await Internet.build(names, lines, (ends) =>
    startEmulator(
      ends.map(({ spec, box, operator }) => ({ name: spec.name, box, operator, down: spec.down, up: spec.up })),
      1,
    ),
  );
  operators = await Operators.start(names, lines);
  server = await ServerProcess.start(names.inet, { address: addresses.internetHost, port: ports.plain, seed: 1 });
});

afterEach(async () => {
  await server.stop();
  await operators.stop();
  await internet.destroy();
});

/** A download by the box itself over the line. */
function download(
  line: 1 | 2 | 3,
  bytes: number,
  onBytes: (total: number) => void = () => {},
): ReturnType<typeof beginTransfer> {
  return beginTransfer({
    kind: 'download',
    id: `t${count++}`,
    netns: names.box,
    server,
    bytes,
    from: `wan${line}`,
    content,
    onBytes,
  });
}

/** Resolves when some of it has come. */
async function flowing(line: 1 | 2 | 3): Promise<ReturnType<typeof beginTransfer>> {
  const some = Promise.withResolvers<void>();
  const transfer = download(line, 500e6, (total) => {
    if (total > 1e6) some.resolve();
  });
  await some.promise;
  return transfer;
}

const sockets = (netns: string): Promise<string> => run(['ss', '-Htn', 'state', 'established'], { netns });

test('a proxy ends the connection itself, and the bytes are the same', async () => {
  const first = await flowing(1);
  // The operator has both halves: the subscriber's, under the server's address, and its own.
  const held = await sockets(names.operator('wan1'));
  expect(held).toMatch(/198\.51\.100\.10:80 +10\.0\.1\.2:/u);
  expect(held).toMatch(/100\.64\.1\.2:\d+ +198\.51\.100\.10:80/u);
  first.stop();
  await first.outcome;
  const seen: Transfer = await download(1, 2e6).outcome;
  expect(seen).toMatchObject({ status: 0, wrongAt: -1, sha256: content.sha256(2e6), seenFrom: '100.64.1.2' });
});

test('a dead proxy lets connections hang; a new one resets them and serves others', async () => {
  const old = await flowing(1);
  await operators.proxyDies('wan1');
  await run(['ss', '-Htn'], { netns: names.box });
  expect(await sockets(names.box)).toContain('198.51.100.10:80');
  await operators.proxyReturns('wan1');
  expect((await download(1, 1e6).outcome).status).toBe(0);
  old.stop();
  expect((await old.outcome).arrivals.bytes).toBeLessThan(500e6);
});

test('a proxy that vanishes says nothing; pings still pass', async () => {
  await operators.proxyVanishes('wan1');
  await run(['ping', '-c', '1', '-W', '2', '-I', 'wan1', addresses.internetHost], { netns: names.box });
  const hanging = download(1, 1e6);
  await expect.poll(() => run(['ss', '-Htn', 'state', 'syn-sent'], { netns: names.box })).toContain('198.51.100.10:80');
  hanging.stop();
  await hanging.outcome;
  await operators.proxyReturns('wan1');
  expect((await download(1, 1e6).outcome).status).toBe(0);
});

test('what the address translation has forgotten is dropped without a word; new connections pass', async () => {
  const old = await flowing(2);
  await operators.natForgets('wan2');
  expect((await download(2, 1e6).outcome).status).toBe(0);
  // Nobody told the old one.
  expect(await sockets(names.box)).toContain('198.51.100.10:80');
  old.stop();
  expect((await old.outcome).arrivals.bytes).toBeLessThan(500e6);
});

test('a rebound line is seen from elsewhere; a strict translation drops what it knew, a lax one lets its server refuse it', async () => {
  const strict = await flowing(2);
  const lax = await flowing(3);
  await operators.natRebinds('wan2');
  await operators.natRebinds('wan3');
  expect(await download(2, 1e6).outcome).toMatchObject({ status: 0, seenFrom: '100.64.2.3' });
  expect(await download(3, 1e6).outcome).toMatchObject({ status: 0, seenFrom: '100.64.3.3' });
  // The unknown connection was reset by the server; nobody told the dropped one.
  expect((await lax.outcome).status).not.toBe(0);
  expect(await sockets(names.box)).toContain('198.51.100.10:80');
  strict.stop();
  await strict.outcome;
  await operators.natRebinds('wan2');
  expect((await download(2, 1e6).outcome).seenFrom).toBe('100.64.2.4');
  await run(['ping', '-c', '1', '-W', '2', '-I', 'wan2', addresses.internetHost], { netns: names.box });
});
