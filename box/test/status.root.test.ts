/** `tresse status` of a real box, as people read it, in the states a person meets. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { at, Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.lay();
});
afterAll(async () => {
  await stage?.clear();
});

const patience = { timeout: 25_000, interval: 200 };

/** The status once it is this, line by line; what differs between runs is `…`. */
async function reads(...wanted: string[]): Promise<void> {
  await vi.waitFor(async () => {
    const lines = (await stage.status('box'))
      .split('\n')
      .filter((line) => !/^(?:Warning: Fast|Warning: The kernel|$)/u.test(line));
    const seen = lines.map((line) =>
      line
        .replace(/running for .*\)/u, 'running for …)')
        .replace(/^(?<line>dsl|fibre) +(?<state>\S+) .* {2}(?<why>\S.*)$/u, '$<line> $<state> … $<why>')
        .replace(/^LINE .*$/u, 'LINE …'),
    );
    expect(seen).toEqual(wanted);
  }, patience);
}

test('no relay known: how to get one, and the LAN goes on without', async () => {
  stage.configure({ relay: undefined });
  stage.start('box');
  await reads(
    'No relay is known: new connections leave directly by dsl. (Tresse box, running for …)',
    'Warning: Pair this box: "tresse relay pair" at the relay makes a code, "tresse box pair CODE" uses it.',
    'LINE …',
    'dsl degraded … no relay is known yet',
    'fibre degraded … no relay is known yet',
    'What does not go through the relay leaves by dsl.',
  );
  await at('lan', 'ping', '-c', '1', '-W', '2', '198.51.100.10');
});

test('paired while it runs, it bonds', async () => {
  stage.start('relay');
  await vi.waitFor(async () => expect(await stage.status('relay')).toContain('boxes connected'), patience);
  const code = (await stage.tresse('relay', 'relay', 'relay', 'pair')).trim().split('\n')[0] ?? '';
  const said = await stage.tresse('box', 'box', 'box', 'pair', code, '--config', `${stage.folder}/box.yaml`);
  expect(said).toContain('The box that runs here goes there now.');
  await reads(
    'Bonding over 2 of 2 lines. (Tresse box, running for …)',
    'LINE …',
    'dsl up … the relay answers',
    'fibre up … the relay answers',
    'No streams are open.',
    'UDP and everything else that is no TCP goes through the relay too.',
    'What does not go through the relay leaves by dsl.',
  );
});

test('the relay is gone: what connections do meanwhile, and for each line why', async () => {
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  await reads(
    'The relay is not reached: new connections leave directly by dsl. (Tresse box, running for …)',
    'LINE …',
    'dsl degraded … 203.0.113.1:7443 refuses the connection: does the relay run, on this port?',
    'fibre degraded … 203.0.113.1:7443 refuses the connection: does the relay run, on this port?',
    'What does not go through the relay leaves by dsl.',
  );
  stage.start('relay');
  await vi.waitFor(async () => expect(await stage.status('box')).toContain('Bonding over 2 of 2'), patience);
});

test('a line that has died without a word', async () => {
  const drop = 'add table ip hush; add chain ip hush in { type filter hook prerouting priority -300; }';
  await at('relay', 'nft', `${drop}; add rule ip hush in iifname op2 drop`);
  await reads(
    'Bonding over 1 of 2 lines. (Tresse box, running for …)',
    'LINE …',
    'dsl up … the relay answers',
    'fibre down … no answer from the relay; the cable is plugged',
    'No streams are open.',
    'UDP and everything else that is no TCP goes through the relay too.',
    'What does not go through the relay leaves by dsl.',
  );
  await at('relay', 'nft', 'delete table ip hush');
});

test('a plug that is pulled', async () => {
  await at('relay', 'ip', 'link', 'set', 'op1', 'down');
  await reads(
    'Bonding over 1 of 2 lines. (Tresse box, running for …)',
    'LINE …',
    'dsl down … no carrier on wan1',
    'fibre up … the relay answers',
    'No streams are open.',
    'UDP and everything else that is no TCP goes through the relay too.',
    'What does not go through the relay leaves by fibre.',
  );
});

test('details have what a helper asks for', async () => {
  const text = await stage.status('box', '--details');
  expect(text).toMatch(/^Version \d+\.\d+\.\d+, pin [\w-]{43}$/mu);
  expect(text).toMatch(/^fibre +fibre +wan2 +10\.0\.2\.2 +10\.0\.2\.1/mu);
  expect(text).toMatch(/^PATH +LINE +STATE +MIN RTT/mu);
});

test('a firewall that may be in the way is a warning, at the box and at the relay', async () => {
  const chain = 'add table inet mine; add chain inet mine in { type filter hook input priority 0; policy drop; }';
  await Promise.all([at('box', 'nft', chain), at('relay', 'nft', chain)]);
  expect(await stage.end('box', 'SIGTERM')).toBe(0);
  expect(await stage.end('relay', 'SIGTERM')).toBe(0);
  stage.start('relay');
  stage.start('box');
  const said = 'Warning: A firewall of this machine (inet mine in) drops what it does not know: it must accept';
  await vi.waitFor(
    async () => expect(await stage.status('relay')).toContain(`${said} TCP and UDP port 7443`),
    patience,
  );
  await vi.waitFor(async () => expect(await stage.status('box')).toContain(`${said} what carries the mark`), patience);
});
