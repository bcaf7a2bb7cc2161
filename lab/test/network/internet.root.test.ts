import { run } from '@tresse/sys';
import { afterEach, expect, test } from 'vitest';

import { startEmulator } from '../../src/emulator/index.ts';
import { addresses, LabNames } from '../../src/network/addresses.ts';
import { Internet } from '../../src/network/internet.ts';
import { takeLock } from '../../src/network/lock.ts';
import { labNetns, sweep } from '../../src/network/sweep.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';

const names = new LabNames('lab-test-');
const { lines } = parseScenario(
  'test.yaml',
  `title: two fast lines
lines:
  - { name: wan1, kind: fibre, delay: 5 ms, down: 50 Mbit/s, up: 50 Mbit/s }
  - { name: wan2, kind: fibre, delay: 5 ms, down: 50 Mbit/s, up: 50 Mbit/s }
steps: [{ kind: request, bytes: 1 kB }]`,
);

const build = (): Promise<Internet<Awaited<ReturnType<typeof startEmulator>>>> =>
  Internet.build(names, lines, (ends) =>
    startEmulator(
      ends.map(({ spec, box, operator }) => ({ name: spec.name, box, operator, down: spec.down, up: spec.up })),
      1,
    ),
  );

afterEach(async () => {
  await sweep(names);
});

test('the box reaches relay and internet host over every line, and everything goes again', async () => {
  const internet = await build();
  const pings = lines.flatMap((line) => [addresses.relay, addresses.internetHost].map((to) => ['-I', line.name, to]));
  await Promise.all(pings.map((way) => run(['ping', '-c', '1', '-W', '2', ...way], { netns: names.box })));
  await internet.destroy();
  expect(await labNetns(names)).toEqual([]);
});

test('what could not be built in full is taken away', async () => {
  const failing = Internet.build(names, lines, () => Promise.reject(new Error('no lines today')));
  await expect(failing).rejects.toThrow('no lines today');
  expect(await labNetns(names)).toEqual([]);
});

test('sweeping ends processes that a dead owner left', async () => {
  const internet = await build();
  const left = run(['sleep', '60'], { netns: names.inet, timeoutMs: 30_000 });
  await expect.poll(() => run(['ip', 'netns', 'pids', names.inet])).not.toBe('');
  const ended = expect(left).rejects.toMatchObject({ failure: 'signal' });
  await internet.driver.stop();
  expect(await sweep(names)).toBe(7);
  await ended;
});

test('the lock is held once and free again afterwards', async () => {
  const lock = await takeLock('lab-test-lock');
  await expect(takeLock('lab-test-lock')).rejects.toMatchObject({ code: 'LAB_BUSY' });
  lock.release();
  (await takeLock('lab-test-lock')).release();
});
