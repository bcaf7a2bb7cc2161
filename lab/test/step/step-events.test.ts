import { monotonicMs } from '@tresse/sys';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { Emulator } from '../../src/emulator/index.ts';
import type { LineWatch } from '../../src/measure/line-watch.ts';
import { LabNames } from '../../src/network/addresses.ts';
import type { Operators } from '../../src/operator/operators.ts';
import type { Product } from '../../src/product/product.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';
import type { TransferStep } from '../../src/scenario/scenario.ts';
import { StepEvents } from '../../src/step/step-events.ts';

const scenario = (events: string): ReturnType<typeof parseScenario> =>
  parseScenario(
    'x.yaml',
    `title: t
lines:
  - { name: a, kind: adsl, down: 8 Mbit/s, up: 5 Mbit/s, proxy: true, nat: {} }
  - { name: b, kind: fibre, down: 100 Mbit/s, up: 1 Mbit/s }
steps: [{ kind: download, bytes: 100 MB, events: [${events}] }]`,
  );

/** Events on lines that only write down what is done to them. */
function scene(events: string, way: 'down' | 'up' = 'down') {
  const done: string[] = [];
  const act =
    (what: string) =>
    (line: string): Promise<number> => {
      done.push(`${what} ${line}`);
      return Promise.resolve(monotonicMs());
    };
  const emulator = {
    cutSilent: act('silent'),
    cutCarrier: act('carrier'),
    restore: act('restore'),
    policeUdp: (line: string, policy: object | undefined) => act(`udp ${JSON.stringify(policy)}`)(line),
    set: (line: string, direction: string, change: object) => act(`set ${direction} ${JSON.stringify(change)}`)(line),
  };
  const operators = {
    proxyDies: act('dies'),
    proxyVanishes: act('vanishes'),
    proxyReturns: act('new proxy'),
    natForgets: act('forgets'),
    natRebinds: act('rebinds'),
  };
  const product = { act: (room: string, what: string) => act(what)(room) };
  const watch = { firstLine: () => 'a' };
  const { lines, steps } = scenario(events);
  const plan = { events: (steps[0] as TransferStep).events, bytes: 100e6, direction: way };
  const stepEvents = new StepEvents(
    {
      names: new LabNames('t-'),
      emulator: emulator as unknown as Emulator,
      operators: operators as unknown as Operators,
      product: product as unknown as Product,
      watch: watch as unknown as LineWatch,
      lines,
      onEvent: () => {},
    },
    plan,
  );
  return { stepEvents, done };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('nothing happens before the first byte', async () => {
  const { stepEvents, done } = scene('{ at: 0 ms, cut: silent, line: a }');
  stepEvents.begin();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(done).toEqual([]);
  await stepEvents.end();
});

test('at a share of the bytes, then after a time; what came back is not restored again', async () => {
  const { stepEvents, done } = scene('{ at: 50 %, cut: silent, line: b }, { after: 100 ms, restore: true, line: b }');
  stepEvents.begin();
  stepEvents.progress(49e6, 0);
  await vi.advanceTimersByTimeAsync(50);
  expect(done).toEqual([]);
  stepEvents.progress(50e6, 0);
  await vi.advanceTimersByTimeAsync(20);
  expect(done).toEqual(['silent b']);
  await vi.advanceTimersByTimeAsync(50);
  expect(done).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(done).toEqual(['silent b', 'restore b']);
  await stepEvents.end();
  expect(done).toHaveLength(2);
  expect(stepEvents.done.map((event) => event.effect)).toEqual(['silent', 'returned']);
});

test('a line still cut at the end is restored', async () => {
  const { stepEvents, done } = scene('{ at: 0 %, cut: carrier, line: a }');
  stepEvents.begin();
  stepEvents.progress(1, 0);
  await vi.advanceTimersByTimeAsync(20);
  await stepEvents.end();
  expect(done).toEqual(['carrier a', 'restore a']);
});

test.each([
  ['biggest', 'down', 'b'],
  ['biggest', 'up', 'a'],
  ['first-bytes', 'down', 'a'],
] as const)('%s, %s, is %s', async (line, direction, name) => {
  const { stepEvents, done } = scene(`{ at: 0 %, cut: silent, line: ${line} }`, direction);
  stepEvents.begin();
  stepEvents.progress(1, 0);
  await vi.advanceTimersByTimeAsync(20);
  expect(done).toEqual([`silent ${name}`]);
  await stepEvents.end();
});

test('a line changes in the units of the link model', async () => {
  const { stepEvents, done } = scene('{ at: 0 %, line: b, change: { rate: 20 Mbit/s, loss: 1 %, direction: down } }');
  stepEvents.begin();
  stepEvents.progress(1, 0);
  await vi.advanceTimersByTimeAsync(20);
  expect(done).toEqual(['set down {"rateBps":20000000,"lossRatio":0.01} b']);
  await stepEvents.end();
});

test('what an event threw is thrown at the end', async () => {
  const { stepEvents } = scene('{ at: 0 %, cut: silent, line: a }');
  stepEvents.begin();
  vi.spyOn(stepEvents.done, 'push').mockImplementation(() => {
    throw new Error('no emulator');
  });
  stepEvents.progress(1, 0);
  await vi.advanceTimersByTimeAsync(20);
  await expect(stepEvents.end()).rejects.toThrow('no emulator');
});

test('a dead proxy returns at the end; daemons stay as they are', async () => {
  const { stepEvents, done } = scene(
    '{ at: 0 %, proxy: dies, line: a }, { after: 0 s, nat: forgets, line: a }, { after: 0 s, relay: stop }, { after: 0 s, box: crash }',
  );
  stepEvents.begin();
  stepEvents.progress(1, 0);
  await vi.advanceTimersByTimeAsync(60);
  await stepEvents.end();
  expect(done).toEqual(['dies a', 'forgets a', 'stop relay', 'crash box', 'new proxy a']);
  expect(stepEvents.done.map(({ effect }) => effect)).toEqual(['proxy dead', 'changed', 'changed', 'changed']);
});

test('a line is rebound again and again, and its UDP blocked, limited and let through', async () => {
  const { stepEvents, done } = scene(
    '{ at: 10 ms, nat: rebinds, line: b, repeat: { every: 20 ms, times: 3 } }, { after: 10 ms, udp: blocked, line: b }, ' +
      '{ after: 0 ms, udp: { limit: 1 Mbit/s, ports: 1024-65535 }, line: b }, { after: 0 ms, udp: free, line: b }, ' +
      '{ after: 0 ms, change: { mtuHole: 1400 }, line: a }',
  );
  stepEvents.begin();
  stepEvents.progress(0, monotonicMs());
  await vi.waitFor(() => expect(done).toHaveLength(7));
  expect(done).toEqual([
    'rebinds b',
    'rebinds b',
    'rebinds b',
    'udp {"rateBps":0,"ports":[0,65535]} b',
    'udp {"rateBps":1000000,"ports":[1024,65535]} b',
    'udp undefined b',
    'set both {"holeBytes":1400} a',
  ]);
  expect(stepEvents.done[1]!.atMs - stepEvents.done[0]!.atMs).toBeGreaterThanOrEqual(20);
  expect(stepEvents.done[4]?.text).toBe('the operator of b passes 1 Mbit/s of UDP to ports 1024 to 65535');
  await stepEvents.end();
});
