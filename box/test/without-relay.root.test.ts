import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Slow, slowServer } from './slow.ts';
import { at, kernelOfBox, Stage } from './stage.ts';

const byRelay = '198.51.100.1';
const directly = '10.0.1.2';
/** Whichever line is in better health while the relay falls silent. */
const byEither = /^10\.0\.[12]\.2$/u;
const patience = { timeout: 15_000, interval: 100 };
let stage: Stage;
let untouched = '';

beforeAll(async () => {
  stage = await Stage.lay();
  stage.serve('inet', process.execPath, '-e', slowServer);
  untouched = await kernelOfBox();
});
afterAll(async () => {
  await stage?.clear();
});

const status = (): Promise<DaemonStatus> => stage.statusOf('box');
const who = (seconds = 8): Promise<string> =>
  at('lan', 'curl', '-sS', '-m', String(seconds), 'http://198.51.100.10/who');
const seenFrom = (address: string): Promise<void> =>
  vi.waitFor(async () => expect(await who(1)).toBe(address), patience);
const bonded = (): Promise<void> =>
  vi.waitFor(async () => expect((await status()).summary).toBe('bonding over 2 of 2 lines'), patience);

/** The relay's port hears nothing any more, and says nothing. */
const silence = (): Promise<string> =>
  at(
    'relay',
    'nft',
    'add table ip hush; add chain ip hush in { type filter hook input priority 0; }; add rule ip hush in tcp dport 7443 drop; ' +
      'add chain ip hush out { type filter hook output priority 0; }; add rule ip hush out tcp sport 7443 drop',
  );
const hear = (): Promise<string> => at('relay', 'nft', 'delete table ip hush');

test('started without a relay: after a moment the LAN goes out directly, and by the relay once it is there', async () => {
  stage.configure();
  stage.start('box');
  // Held at first, then sent on: the very first connection succeeds.
  await vi.waitFor(async () => expect(await at('box', 'nft', 'list', 'tables')).toContain('inet tresse'), patience);
  expect(await who()).toBe(directly);
  await vi.waitFor(
    async () =>
      expect((await status()).summary).toBe('the relay is not reached: new connections leave directly by dsl'),
    patience,
  );
  expect(await who()).toBe(directly);
  const running = await new Slow(80).begun();
  stage.start('relay');
  await seenFrom(byRelay);
  await bonded();
  expect(await running.end()).toBe('whole');
});

test('the relay falls silent: begun streams wait, held and new ones go directly, all of them whole', async () => {
  const begun = await new Slow(90).begun();
  const { counters } = await status();
  await silence();
  // Begun before the silence could be noticed: the client hears of it, and may try again.
  const early = who().catch(String);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  // Begun in doubt: held, and then sent on by the box itself.
  expect(await who()).toMatch(byEither);
  expect((await status()).counters['directBegun']).toBeGreaterThan(counters['directBegun'] ?? 0);
  expect(await early).toContain('reset by peer');
  await vi.waitFor(
    async () => expect(await at('box', 'nft', 'list', 'table', 'inet', 'tresse')).not.toContain('tproxy'),
    patience,
  );
  const { counters: later } = await status();
  expect(await who()).toMatch(byEither);
  // By the kernel alone.
  expect((await status()).counters['intercepted']).toBe(later['intercepted']);
  const direct = await new Slow(60).begun();
  await hear();
  await seenFrom(byRelay);
  expect(await begun.end()).toBe('whole');
  expect(await direct.end()).toBe('whole');
  expect(stage.log('box')).toMatch(
    /msg="new connections" family=IPv4 now="directly by (?:dsl|fibre)" reason="\d+ connections to the relay wait/u,
  );
});

test('direct flows stay with their line when another becomes the best', async () => {
  await silence();
  await vi.waitFor(async () => expect((await status()).summary).toContain('leave directly by'), patience);
  const [one, other] = (await who()) === directly ? [1, 2] : [2, 1];
  const running = await new Slow(30).begun();
  const route = ['default', 'via', `10.0.${one}.1`, 'dev', `wan${one}`, 'metric', String(10 * one)];
  // No carrier for a moment: the kernel keeps the routes, and the operator what it knows of the flow.
  await at('relay', 'sh', '-c', `ip link set op${one} down; sleep 0.6; ip link set op${one} up`);
  await at('box', 'ip', 'route', 'replace', ...route);
  await seenFrom(`10.0.${other}.2`);
  expect(await running.end()).toBe('whole');
  await hear();
  await bonded();
});

test('with "refuse" new connections are refused at once', async () => {
  await stage.end('box', 'SIGTERM');
  expect(await kernelOfBox()).toBe(untouched);
  stage.configure({ withoutRelay: 'refuse' });
  stage.start('box');
  await bonded();
  const begun = await new Slow(80).begun();
  await silence();
  await expect(who()).rejects.toThrow('reset by peer');
  await vi.waitFor(
    async () =>
      expect((await status()).summary).toBe('the relay is not reached: new connections are refused until it is back'),
    patience,
  );
  await expect(who(1)).rejects.toThrow(/refused|Couldn't connect|reset/u);
  // What is not TCP goes on.
  await at('lan', 'ping', '-c', '1', '-W', '2', '198.51.100.10');
  await hear();
  await seenFrom(byRelay);
  expect(await begun.end()).toBe('whole');
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await kernelOfBox()).toBe(untouched);
});
