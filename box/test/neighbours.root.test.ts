import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Slow, slowServer } from './slow.ts';
import { at, kernelOfBox, Stage } from './stage.ts';

/** As Docker leaves it: what it does not know is not forwarded. */
const docker = `add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; };
  add rule ip filter FORWARD oifname "docker0" accept`;
/** As firewalld leaves it: its last word is a refusal. */
const firewalld = `add table inet firewalld; add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; };
  add rule inet firewalld filter_FORWARD ct state established,related accept;
  add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited`;

const patience = { timeout: 15_000, interval: 100 };
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.lay();
  stage.serve('inet', process.execPath, '-e', slowServer);
  stage.configure();
  stage.start('relay');
});
afterAll(async () => {
  await stage?.clear();
});

const status = (): Promise<DaemonStatus> => stage.statusOf('box');
const bonded = (): Promise<void> =>
  vi.waitFor(async () => expect((await status()).summary).toBe('bonding over 2 of 2 lines'), patience);
const nft = (text: string): Promise<string> => at('box', 'nft', text.replaceAll(/\s+/gu, ' '));
const who = (): Promise<string> => at('lan', 'curl', '-sS', '-m', '5', 'http://198.51.100.10/who');

test.each([
  ['Docker', docker, 'ip filter FORWARD'],
  ['firewalld', firewalld, 'inet firewalld filter_FORWARD'],
])(
  'beside %s: TCP is bonded, a sentence says what does not leave, and its rules are left alone',
  async (_, rules, chain) => {
    await nft(rules);
    const before = await kernelOfBox();
    stage.start('box');
    await bonded();
    expect(await who()).toBe('198.51.100.1');
    await vi.waitFor(async () => {
      const warning = (await status()).warnings.find((one) => one.includes(chain));
      expect(warning).toContain('it must accept what comes from lan0 and its answers, or only TCP leaves');
    }, patience);
    expect(await stage.end('box', 'SIGTERM')).toBe(0);
    expect(await kernelOfBox()).toBe(before);
    await nft('flush ruleset');
  },
);

/** A host of the LAN that is reached from outside by a line's address. */
const outside = (line: number): Promise<string> =>
  at('relay', 'curl', '-sS', '-m', '5', `http://10.0.${line}.2:8080/who`);

test('what begins from outside is answered by the line it came by, though another one is the best', async () => {
  await nft(`add table ip port; add chain ip port in { type nat hook prerouting priority dstnat; };
    add rule ip port in tcp dport 8080 dnat to 192.168.77.2:80`);
  stage.serve('lan', process.execPath, '-e', slowServer);
  stage.start('box');
  await bonded();
  expect(await outside(1)).toBe('10.0.1.1');
  expect(await outside(2)).toBe('10.0.2.1');
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  await nft('flush ruleset');
});

test('somebody flushes all rules under us: running streams go on, nothing is left half done, new ones are bonded', async () => {
  stage.start('box');
  await bonded();
  // The last that changes after a start.
  await vi.waitFor(async () => expect(await stage.status('box')).toContain('goes through the relay too'), patience);
  const held = await at('box', 'nft', '-s', 'list', 'ruleset');
  const running = await new Slow(30).begun();
  await nft('flush ruleset');
  await vi.waitFor(async () => expect(await at('box', 'nft', '-s', 'list', 'ruleset')).toBe(held), patience);
  expect(await who()).toBe('198.51.100.1');
  expect(await running.end()).toBe('whole');
});

test('a table that takes our name is replaced as a whole', async () => {
  await nft('flush ruleset');
  await nft('add table inet tresse; add chain inet tresse theirs { type filter hook input priority 0; policy drop; }');
  await vi.waitFor(async () => {
    const text = await at('box', 'nft', 'list', 'ruleset');
    expect(text).toContain('tproxy');
    expect(text).not.toContain('theirs');
  }, patience);
  expect(await who()).toBe('198.51.100.1');
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await at('box', 'nft', 'list', 'ruleset')).toBe('');
});
