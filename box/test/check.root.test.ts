import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { at, kernelOfBox, Stage } from './stage.ts';

const tresse = join(import.meta.dirname, '../../bin/tresse');
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.lay();
  stage.configure();
});
afterAll(async () => {
  await stage?.clear();
});

/** Runs `tresse ROOM check`. Returns what it prints, and its exit status in the last line. */
async function check(room: 'box' | 'relay', options: { state?: string; as?: string } = {}): Promise<string> {
  const state = options.state ?? join(stage.folder, room);
  const line = `${tresse} ${room} check --state ${state} --config ${join(stage.folder, `${room}.yaml`)}`;
  const whole = options.as === undefined ? line : `setpriv --reuid ${options.as} --clear-groups ${line}`;
  return at(room, 'sh', '-c', `export NODE_COMPILE_CACHE=; ${whole} 2>&1; echo "status $?"`);
}

/** Every file of the state directory with its content and its times. */
function stateOf(room: string): string {
  const folder = join(stage.folder, room);
  return readdirSync(folder)
    .toSorted()
    .map((name) => {
      const { mtimeMs, ctimeMs, mode, size } = statSync(join(folder, name));
      const text = name.endsWith('.sock') ? '' : readFileSync(join(folder, name), 'utf8');
      return JSON.stringify({ name, mtimeMs, ctimeMs, mode, size, text });
    })
    .join('\n');
}

test('check says what a start would change, in words and as steps, and changes nothing', async () => {
  const before = [await kernelOfBox(), stateOf('box')];
  const text = await check('box');
  expect(text).toContain('box.yaml is valid.');
  expect(text).toContain('dsl: wan1 10.0.1.2 by 10.0.1.1: can send');
  expect(text).toContain('what does not go through the relay leaves by dsl');
  expect(text).toContain('Starting the box would, in this order:');
  expect(text).toContain('ip rule add pref 5101 from 10.0.1.2 lookup 5101 protocol 200');
  expect(text).toContain('nft -f - (the whole table)');
  expect(text).toMatch(/status 0\n$/u);
  expect([await kernelOfBox(), stateOf('box')]).toEqual(before);
});

test('the relay is checked too', async () => {
  const before = stateOf('relay');
  expect(await check('relay')).toMatch(/listens on TCP and UDP port 7443 of any[^]*boxes: home[^]*status \d\n$/u);
  expect(stateOf('relay')).toBe(before);
});

test('firewalls of the machine that may be in the way are named', async () => {
  const chain = 'add table inet mine; add chain inet mine in { type filter hook input priority 0; policy drop; }';
  await at('box', 'nft', chain);
  await at('relay', 'nft', chain);
  expect(await check('box')).toContain('a firewall of this machine (inet mine in) drops what it does not know');
  expect(await check('relay')).toContain('it must accept TCP and UDP port 7443');
  await at('relay', 'nft', 'add rule inet mine in tcp dport { 22, 7443 } accept');
  expect(await check('relay')).not.toContain('firewall of this machine');
  await at('box', 'nft', 'add rule inet mine in meta mark and 0xff0000 == 0x510000 accept');
  expect(await check('box')).not.toContain('firewall of this machine');
  await at('box', 'nft', 'delete table inet mine');
  await at('relay', 'nft', 'delete table inet mine');
});

test('a state directory that is not there is not made', async () => {
  const state = join(stage.folder, 'nowhere');
  const text = await check('box', { state });
  expect(text).toMatch(/Must be mended:\n {2}- There is no identity in .*: make one by "tresse box init --state/u);
  expect(text).toMatch(/status 2\n$/u);
  expect(readdirSync(stage.folder)).not.toContain('nowhere');
});

test('without root all is told but the nftables table', async () => {
  const state = join(stage.folder, 'open');
  mkdirSync(state, { mode: 0o755 });
  await at('box', 'chmod', '755', stage.folder);
  const text = await check('box', { state, as: '65534' });
  expect(text).toContain('without root the nftables table cannot be looked at');
  expect(text).toContain('ip rule add pref 5101');
  expect(text).not.toContain('nft -f -');
});

test('beside a running box nothing would change, and it is told which process runs', async () => {
  stage.start('relay');
  stage.start('box');
  const patience = { timeout: 15_000, interval: 100 };
  await vi.waitFor(async () => expect(await stage.status('box')).toContain('Bonding over 2 of 2 lines'), patience);
  // The last that changes after a start.
  await vi.waitFor(async () => expect(await stage.status('box')).toContain('goes through the relay too'), patience);
  const before = await kernelOfBox();
  const text = await check('box');
  expect(text).toMatch(/A box runs with this state directory \(process \d+\)\. Nothing would change/u);
  expect(text).toMatch(/status 0\n$/u);
  expect(await check('relay')).toMatch(/A relay runs with this state directory \(process \d+\)/u);
  expect(await kernelOfBox()).toBe(before);
  const other = await check('box', { state: join(stage.folder, 'open') });
  expect(other).toContain('TCP port 7500 is in use: does another box run?');
});

test('a file with a fault is refused with its place', async () => {
  stage.configure({ uplinks: [{ name: 'dsl', interface: 'wan1', kind: 'adls' }] });
  expect(await check('box')).toMatch(/box\.yaml:1:\d+ uplinks\.0\.kind: "adls" is not accepted[^]*status 2\n$/u);
});

test('what does not fit the machine is a sentence, and what makes it useless the exit status', async () => {
  stage.configure({
    uplinks: [{ name: 'dsl', interface: 'wan7' }],
    lan: { interfaces: ['lan0'] },
    relay: { addresses: ['192.168.77.9'], pin: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' },
  });
  const text = await check('box');
  expect(text).toContain('dsl: there is no interface wan7');
  expect(text).toContain('relay: 192.168.77.9 lies in the LAN on lan0 (192.168.77.0/24)');
  expect(text).toMatch(/status 2\n$/u);
});
