import { readdirSync } from 'node:fs';

import { plainDirection } from '@tresse/sim';
import { run, runJson } from '@tresse/sys';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type EmulatedLine, type Emulator, type LineEnd, startEmulator } from '../src/emulator/index.ts';

const box = 'emulator-test-box';
const operator = 'emulator-test-operator';

function lineOf(number: number, downMbps: number, upMbps: number, delayMs: number): EmulatedLine {
  return {
    name: `wan${number}`,
    box: { netns: box, ifname: `wan${number}` },
    operator: { netns: operator, ifname: `op${number}` },
    down: { ...plainDirection, rateBps: downMbps * 1e6, delayMs },
    up: { ...plainDirection, rateBps: upMbps * 1e6, delayMs },
  };
}

const household = [lineOf(1, 8, 1, 15), lineOf(2, 40, 10, 22), lineOf(3, 100, 15, 18)];

let emulator: Emulator | undefined;

/** Lines with addresses: 10.0.N.2 and fd00:N::2 at the box, .1 at the operator. */
async function start(lines: readonly EmulatedLine[]): Promise<Emulator> {
  emulator = await startEmulator(lines, 1);
  const addressed = lines.flatMap((line, i) => [address(line.box, i + 1, 2), address(line.operator, i + 1, 1)]);
  await Promise.all(addressed);
  return emulator;
}

/** Several commands of `ip` in one namespace. */
async function ipBatch(netns: string, ...commands: string[]): Promise<void> {
  await run(['ip', '-n', netns, '-batch', '-'], { input: commands.join('\n') });
}

async function address({ netns, ifname }: LineEnd, net: number, host: number): Promise<void> {
  await ipBatch(
    netns,
    `address add 10.0.${net}.${host}/24 dev ${ifname}`,
    `address add fd00:${net}::${host}/64 dev ${ifname} nodad`,
    `link set dev ${ifname} up`,
  );
}

/** Shortest round trip in ms of some pings from the box, or Infinity when none came back. */
async function ping(to: string, count = 5): Promise<number> {
  const text = await run(['sh', '-c', `ping -c ${count} -i 0.05 -W 1 ${to} || true`], { netns: box });
  return Number(/rtt min\S* = ([\d.]+)/u.exec(text)?.[1] ?? Infinity);
}

async function linkFlags(netns: string, ifname: string): Promise<string[]> {
  const [link] = (await runJson(['ip', '-n', netns, '-j', 'link', 'show', 'dev', ifname])) as { flags: string[] }[];
  return link!.flags;
}

/** Starts a TCP transfer over each line and returns what arrived, in bits per second, in the lines' order. */
async function transfer(count: number, direction: 'down' | 'up'): Promise<number[]> {
  const rates = Array.from({ length: count }, async (_, i) => {
    const server = run(['iperf3', '-s', '-1', '-p', String(5201 + i), '-B', `10.0.${i + 1}.1`], { netns: operator });
    const client = ['iperf3', '-J', '-t', '3', '-O', '1', '-p', String(5201 + i), '-c', `10.0.${i + 1}.1`];
    const retry = `for n in 1 2 3 4 5 6 7 8 9; do ss -Hlnt | grep -q :${5201 + i} && break; sleep 0.1; done`;
    await run(['sh', '-c', retry], { netns: operator });
    const text = await run(direction === 'down' ? [...client, '-R'] : client, { netns: box });
    await server;
    const report = JSON.parse(text) as { end: { sum_received: { bits_per_second: number } } };
    return report.end.sum_received.bits_per_second;
  });
  return Promise.all(rates);
}

async function removeNamespaces(): Promise<void> {
  const there = (await runJson(['ip', '-j', 'netns', 'list'])) as { name: string }[];
  const mine = there.filter(({ name }) => name === box || name === operator);
  await Promise.all(mine.map(({ name }) => run(['ip', 'netns', 'del', name])));
}

beforeAll(async () => {
  await removeNamespaces();
  await Promise.all([box, operator].map((name) => run(['ip', 'netns', 'add', name])));
  await Promise.all([box, operator].map((name) => ipBatch(name, 'link set dev lo up')));
});

afterEach(async () => {
  await emulator?.stop();
  emulator = undefined;
});

afterAll(removeNamespaces);

describe('a line', () => {
  test('takes its delay both ways, and finds neighbours in IPv4 and IPv6', async () => {
    await start([lineOf(1, 100, 100, 20)]);
    const rttsMs = await Promise.all(['10.0.1.1', 'fd00:1::1'].map((to) => ping(to)));
    expect(Math.min(...rttsMs)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...rttsMs)).toBeLessThan(45);
  });

  test('follows changes of delay and loss', async () => {
    const lines = await start([lineOf(1, 100, 100, 5)]);
    await lines.set('wan1', 'down', { delayMs: 60 });
    expect(await ping('10.0.1.1')).toBeGreaterThanOrEqual(65);
    await lines.set('wan1', 'both', { delayMs: 1, lossRatio: 1 });
    expect(await ping('10.0.1.1')).toBe(Infinity);
    const [counted] = await lines.counters();
    expect(counted!.up.lossDrops).toBeGreaterThan(0);
  });

  test('cut silently loses everything and keeps its carrier; restored it goes on', async () => {
    const lines = await start([lineOf(1, 100, 100, 5)]);
    expect(await ping('10.0.1.1')).toBeLessThan(Infinity);
    await lines.cutSilent('wan1');
    expect(await ping('10.0.1.1')).toBe(Infinity);
    expect(await linkFlags(box, 'wan1')).toContain('LOWER_UP');
    await lines.restore('wan1');
    expect(await ping('10.0.1.1')).toBeLessThan(Infinity);
  });

  test('cut with its carrier is seen by the box, and not by the operator', async () => {
    const lines = await start([lineOf(1, 100, 100, 5)]);
    await lines.cutCarrier('wan1');
    expect(await linkFlags(box, 'wan1')).toContain('NO-CARRIER');
    expect(await linkFlags(operator, 'op1')).toContain('LOWER_UP');
    await lines.restore('wan1');
    expect(await linkFlags(box, 'wan1')).toContain('LOWER_UP');
    expect(await ping('10.0.1.1')).toBeLessThan(Infinity);
  });
});

describe.each(['down', 'up'] as const)('three unequal lines at once, %s', (direction) => {
  test('carry their rates, not more, and are punctual', async () => {
    const lines = await start(household);
    const rates = await transfer(household.length, direction);
    const counters = await lines.counters();
    household.forEach((line, i) => {
      const share = rates[i]! / line[direction].rateBps;
      expect(share).toBeGreaterThan(0.9);
      // What stood in the queue when iperf3 began to count comes on top: 100 ms of 3 s at most.
      expect(share).toBeLessThan(1.05);
      const { latePackets, deliveredPackets } = counters[i]![direction];
      expect(latePackets / deliveredPackets).toBeLessThan(0.01);
    });
    expect(await lines.unreadDrops()).toEqual(household.map(({ name }) => ({ name, down: 0, up: 0 })));
  }, 30_000);
});

describe('the emulator', () => {
  test('leaves no interface and no descriptor', async () => {
    await (await start(household)).stop();
    const before = readdirSync('/proc/self/fd').length;
    await (await start(household)).stop();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    const left = (await runJson(['ip', '-n', box, '-j', 'link'])) as { ifname: string }[];
    expect(left.map(({ ifname }) => ifname)).toEqual(['lo']);
  });

  test('says what is wrong and leaves nothing half made', async () => {
    const twice = [lineOf(1, 10, 10, 1), { ...lineOf(1, 10, 10, 1), name: 'again' }];
    await expect(startEmulator(twice, 1)).rejects.toMatchObject({ code: 'EBUSY' });
    await expect(startEmulator([lineOf(1, 0, 10, 1)], 1)).rejects.toMatchObject({ code: 'LINK_SPEC' });
    const lines = await start([lineOf(1, 10, 10, 1)]);
    await expect(lines.cutSilent('wan9')).rejects.toMatchObject({ code: 'LINE_UNKNOWN' });
    await expect(lines.set('wan1', 'both', { lossRatio: 2 })).rejects.toMatchObject({ code: 'LINK_SPEC' });
    await lines.stop();
    await expect(lines.counters()).rejects.toMatchObject({ code: 'EMULATOR' });
  });
});
