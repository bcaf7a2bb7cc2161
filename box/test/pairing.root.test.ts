/** From nothing to a bond by a pairing code, and out again: real daemons, and certificates whose dates are all wrong. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';

import { type DaemonStatus, type PairingCode, readPairingCode, writePairingCode } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { makeIdentity } from '../../daemon/src/identity-maker.ts';
import { at, atLength, Stage } from './stage.ts';

let stage: Stage;

/** A box as made in 2040 and a relay as made in 2010: what a machine without a clock makes. */
async function dateWrongly(): Promise<void> {
  const box = await makeIdentity('box', { notBefore: '2040-01-01T00:00:00Z', notAfter: '2041-01-01T00:00:00Z' });
  const relay = await makeIdentity('relay', { notBefore: '2010-01-01T00:00:00Z', notAfter: '2011-01-01T00:00:00Z' });
  writeFileSync(stage.file('box', 'identity.pem'), box.keyPem + box.certificatePem);
  writeFileSync(stage.file('relay', 'identity.pem'), relay.keyPem + relay.certificatePem);
}

beforeAll(async () => {
  stage = await Stage.lay();
  stage.configure({ relay: undefined });
  writeFileSync(`${stage.folder}/relay.yaml`, JSON.stringify({ public: ['203.0.113.1'] }));
  writeFileSync(`${stage.folder}/file`, randomBytes(300_000));
  const server = `http.createServer((_, answer) => fs.createReadStream(process.argv[1]).pipe(answer)).listen(80)`;
  stage.serve('inet', process.execPath, '-e', server, `${stage.folder}/file`);
  const endless = `http.createServer((_, answer) => setInterval(() => answer.write('on and on'), 50)).listen(81)`;
  stage.serve('inet', process.execPath, '-e', endless);
  await dateWrongly();
});
afterAll(async () => {
  await stage?.clear();
});

const patience = { timeout: 20_000, interval: 100 };
const status = (): Promise<DaemonStatus> => stage.statusOf('box');
const verdicts = async (): Promise<string[]> => (await status()).uplinks.map((one) => one.verdict);
const reasons = async (): Promise<string[]> => (await status()).uplinks.map((one) => one.reason);
const bothUp = (): Promise<void> => vi.waitFor(async () => expect(await verdicts()).toEqual(['up', 'up']), patience);
const relayAsked = (...argv: string[]): Promise<string> => stage.tresse('relay', 'relay', 'relay', ...argv);
const codeFor = async (...options: string[]): Promise<string> => (await relayAsked('pair', ...options)).trim();
const relayRuns = (): Promise<unknown> => vi.waitFor(() => stage.status('relay'), patience);
/** `box pair` in the box's namespace with box.yaml, on the box's state directory or another one. */
const pair = (code: string, state = 'box'): Promise<string> =>
  stage.tresse('box', state, 'box', 'pair', code, '--config', `${stage.folder}/box.yaml`);
/** A code for the relay with something else in it. */
function altered(code: string, change: Partial<PairingCode>): string {
  const reading = readPairingCode(code);
  if (!reading.ok) throw new TypeError(reading.sentence);
  return writePairingCode({ ...reading.value, ...change }) ?? '';
}

const tresse = `${import.meta.dirname}/../../bin/tresse`;
let code = '';
/** Pairs with a relay that is somewhere else. */
const elsewhere = (address: string): Promise<string> => pair(altered(code, { addresses: [address], port: 7400 }));

test('a relay without a public address is refused before anything is made; one with some finds them', async () => {
  await expect(stage.tresse('box', 'fresh', 'relay', 'init')).rejects.toThrow(
    'This machine has no public address by which boxes could find it: name one by --public ADDRESS',
  );
  expect(existsSync(stage.file('fresh', ''))).toBe(false);
  const said = await stage.tresse('relay', 'fresh', 'relay', 'init');
  expect(said).toMatch(
    /Boxes will look for this relay at (?:203\.0\.113\.1, 198\.51\.100\.1|198\.51\.100\.1, 203\.0\.113\.1)\./u,
  );
});

test('without a running relay there is no code', async () => {
  await expect(relayAsked('pair')).rejects.toThrow(/No box and no relay runs with the state directory/u);
});

test('a code typed badly, of another relay, or with a token that never was, is each its own sentence', async () => {
  stage.start('relay');
  await relayRuns();
  expect(await stage.status('relay')).toContain('No box is known: let one in by "tresse relay pair"');
  code = await codeFor('--name', 'home');
  expect(code).toMatch(/^TRESSE[0-9A-Z]+$/u);
  await expect(pair(code.slice(0, -3))).rejects.toThrow('The pairing code has a typo or is not whole: copy it again.');
  await expect(pair('hello')).rejects.toThrow('This is no pairing code');
  await expect(pair(altered(code, { token: 'AAAAAAAAAAAAAAAAAAAAAA' }))).rejects.toThrow(
    'The relay was reached, but the relay does not know this pairing code',
  );
  const wrongPin = pair(altered(code, { pin: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' }));
  await expect(wrongPin).rejects.toThrow(/ {2}dsl {4}203\.0\.113\.1:7443 is not the relay this box knows: its pin is/u);
});

test('a relay that is not reached: each line says why', async () => {
  await expect(elsewhere('203.0.113.1')).rejects.toThrow(
    /The relay was not reached:\n {2}dsl {4}203\.0\.113\.1:7400 refuses the connection: .*\n {2}fibre {2}203/u,
  );
  await at('relay', 'ip', 'route', 'add', 'unreachable', '203.0.113.9');
  await expect(elsewhere('203.0.113.9')).rejects.toThrow(
    /dsl {4}there is no route to 203\.0\.113\.9 from 10\.0\.1\.2/u,
  );
  const drop = 'add table inet d; add chain inet d i { type filter hook input priority 0; }; add rule inet d i';
  await at('relay', 'nft', `${drop} iifname op1 tcp dport 7400 drop`);
  await at('box', 'ip', 'link', 'set', 'wan2', 'down');
  await expect(elsewhere('203.0.113.1')).rejects.toThrow(
    /fibre {2}interface wan2 is switched off.*\n {2}dsl {4}no answer from 203\.0\.113\.1:7400 from 10\.0\.1\.2 in time/u,
  );
  await at('box', 'ip', 'link', 'set', 'wan2', 'up');
  await at('box', 'ip', 'route', 'replace', 'default', 'via', '10.0.2.1', 'dev', 'wan2', 'metric', '20');
  await at('relay', 'nft', 'delete', 'table', 'inet', 'd');
});

test('a box is paired over the line that works, though the default route is of the one that does not', async () => {
  await at(
    'relay',
    'nft',
    'add table inet d; add chain inet d i { type filter hook input priority 0; }; add rule inet d i iifname op1 drop',
  );
  const said = await pair(code);
  await at('relay', 'nft', 'delete', 'table', 'inet', 'd');
  expect(said).toContain('This box is paired: the relay at 203.0.113.1 calls it "home" (reached by fibre).');
  expect(said).toContain('Start the box by "tresse box run".');
  expect(statSync(stage.file('box', 'pairing.json')).mode & 0o777).toBe(0o600);
  expect(await relayAsked('boxes')).toMatch(/home +\S{43} +never/u);
});

/** Hands on both ways between box and relay, but nothing the relay says after the box has proved its key. */
const swallower = `net.createServer((box) => {
  const relay = net.connect(7443, '203.0.113.1');
  let heard = false, proved = false;
  relay.on('data', (bytes) => { heard = true; if (!proved) box.write(bytes); });
  box.on('data', (bytes) => { proved = heard; relay.write(bytes); });
  for (const end of [box, relay]) end.on('error', () => {});
}).listen(7401, '203.0.113.1')`;

test('killed between the use of a token and the answer, the relay answers the same box again, and no other', async () => {
  const endSwallower = stage.serve('relay', process.execPath, '-e', swallower);
  const unheard = await codeFor('--name', 'unheard');
  await vi.waitFor(() => at('relay', 'sh', '-c', 'ss -ltn | grep -q 7401'), patience);
  const asked = pair(altered(unheard, { port: 7401 }), 'unheard');
  asked.catch(() => {});
  await vi.waitFor(async () => expect(await relayAsked('boxes')).toContain('unheard'), patience);
  await stage.end('relay', 'SIGKILL');
  await expect(asked).rejects.toThrow('203.0.113.1:7401 takes the connection but does not go on');
  expect(existsSync(stage.file('unheard', 'pairing.json'))).toBe(false);
  await endSwallower();
  stage.start('relay');
  await relayRuns();
  await expect(pair(unheard, 'other')).rejects.toThrow('this pairing code was used already');
  expect(await pair(unheard, 'unheard')).toContain('calls it "unheard"');
});

test('paired, the box bonds; the dates in both certificates are long past or to come', async () => {
  stage.start('box');
  await bothUp();
  await at('lan', 'curl', '-sS', '-m', '20', '-o', '/dev/null', 'http://198.51.100.10/file');
  expect(await relayAsked('boxes')).toMatch(/home +\S{43} +connected for .*10\.0\.[12]\.2/u);
  expect(JSON.parse(await relayAsked('boxes', '--json'))).toMatchObject({
    boxes: [
      { name: 'home', connected: true, origin: 'paired' },
      { name: 'unheard', connected: false },
    ],
  });
});

test('two boxes with one code: exactly one is let in', async () => {
  const one = await codeFor();
  const outcomes = await Promise.allSettled([pair(one, 'first'), pair(one, 'second')]);
  const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
  expect(won).toHaveLength(1);
  expect(lost).toEqual([expect.stringContaining('this pairing code was used already')]);
  expect(await relayAsked('boxes')).toContain('box-1');
});

test('two commands with one code on one fresh state directory are one box', async () => {
  const one = await codeFor('--name', 'once');
  const said = await Promise.all([pair(one, 'fresh-box'), pair(one, 'fresh-box')]);
  for (const each of said) expect(each).toContain('calls it "once"');
});

test('where box.yaml names a relay, pairing says which of the two counts', async () => {
  const config = `${stage.folder}/named.yaml`;
  const lines = { uplinks: [{ name: 'dsl', interface: 'wan1' }], lan: { interfaces: ['lan0'] } };
  const pin = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';
  writeFileSync(config, JSON.stringify({ ...lines, relay: { addresses: ['203.0.113.1'], pin } }));
  const said = stage.tresse('box', 'named', 'box', 'pair', await codeFor(), '--config', config);
  expect(await said).toContain('names a relay itself, which goes before: take "relay:" out of it');
});

test('names: unique, sensible, and changed while the box is there', async () => {
  await expect(relayAsked('rename', 'home', 'box-1')).rejects.toThrow('A box is called "box-1" already');
  await expect(relayAsked('rename', 'home', 'My Home')).rejects.toThrow('to: "My Home": not a name');
  await expect(relayAsked('rename', 'nobody', 'x')).rejects.toThrow('No box is called "nobody"');
  await relayAsked('rename', 'home', 'cabin');
  expect(await stage.status('relay')).toContain('cabin');
  await expect(relayAsked('pair', '--name', 'cabin')).rejects.toThrow('A box is called "cabin" already');
  await expect(relayAsked('pair', '--valid', '5s')).rejects.toThrow(
    'a pairing code is valid for 1 min at least and 720 h at most',
  );
});

test('a revoked box: its streams end, it is told why, and it comes in again by a new code without a restart', async () => {
  const slow = atLength('lan', 40_000, 'curl', '-sS', '-o', '/dev/null', 'http://198.51.100.10:81/');
  slow.catch(() => {});
  await vi.waitFor(async () => expect((await status()).sessions[0]?.streams).toBe(1), patience);
  await relayAsked('revoke', 'cabin');
  await expect(slow).rejects.toThrow(/reset by peer|Recv failure|transfer closed/iu);
  const told = expect.stringContaining('the relay has revoked this box: only a new pairing code lets it in again');
  await vi.waitFor(async () => expect(await reasons()).toEqual([told, told]), patience);
  expect((await status()).summary).toEqual(told);
  expect(await relayAsked('boxes')).not.toContain('cabin');
  await expect(pair(code)).rejects.toThrow('this pairing code was used already');
  expect(await pair(await codeFor('--name', 'again'))).toContain('The box that runs here goes there now.');
  await bothUp();
  expect(await relayAsked('boxes')).toMatch(/again .*connected/u);
});

test('a relay that is reached by IPv6 only', async () => {
  await at('box', 'ip', 'addr', 'add', '2001:db8:1::2/64', 'dev', 'wan1', 'nodad');
  await at('relay', 'ip', 'addr', 'add', '2001:db8:1::1/64', 'dev', 'op1', 'nodad');
  await at('relay', 'ip', 'addr', 'add', '2001:db8:ff::1/128', 'dev', 'lo', 'nodad');
  await at('box', 'ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:1::1', 'dev', 'wan1');
  const v6 = altered(await codeFor('--name', 'six'), { addresses: ['2001:db8:ff::1'] });
  const said = await stage.tresse('box', 'six', 'box', 'pair', v6);
  expect(said).toContain('the relay at 2001:db8:ff::1 calls it "six" (reached by wan1).');
  // There is no box.yaml in that state directory.
  expect(said).toContain('Describe the lines next: "tresse box init" makes');
  expect(await relayAsked('boxes')).toContain('six');
});

test('a relay without a public address makes no code', async () => {
  await stage.tresse('box', 'inner', 'relay', 'init', '--public', '192.0.2.1');
  writeFileSync(stage.file('inner', 'relay.yaml'), JSON.stringify({ listen: { port: 7600 } }));
  await at('box', 'ip', 'addr', 'flush', 'dev', 'wan1', 'scope', 'global');
  stage.serve('box', tresse, 'relay', 'run', '--state', stage.file('inner', ''));
  const ask = (...argv: string[]): Promise<string> => stage.tresse('box', 'inner', 'relay', ...argv);
  await vi.waitFor(() => ask('boxes'), patience);
  await expect(ask('pair')).rejects.toThrow(
    'This machine has no public address by which boxes could find it: write "public: [ADDRESS]" into relay.yaml',
  );
  await at('box', 'ip', 'addr', 'add', '10.0.1.2/24', 'dev', 'wan1');
  await at('box', 'ip', 'route', 'add', 'default', 'via', '10.0.1.1', 'dev', 'wan1', 'metric', '10');
});

test('an expired code is told from a used one', async () => {
  const late = await codeFor('--valid', '1min');
  await stage.end('relay', 'SIGTERM');
  const file = stage.file('relay', 'boxes.json');
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { tokens: { expiresAtMs: number }[] };
  kept.tokens.at(-1)!.expiresAtMs = Date.now() - 1;
  writeFileSync(file, JSON.stringify(kept));
  stage.start('relay');
  await relayRuns();
  await expect(pair(late, 'third')).rejects.toThrow('this pairing code has expired');
});

test('a box that runs goes to another relay when it is paired there', async () => {
  await bothUp();
  mkdirSync(stage.file('relay2', ''), { recursive: true });
  await stage.tresse('relay', 'relay2', 'relay', 'init', '--public', '198.51.100.1');
  const config = stage.file('relay2', 'relay.yaml');
  writeFileSync(config, JSON.stringify({ public: ['198.51.100.1'], listen: { port: 7500 } }));
  stage.serve('relay', tresse, 'relay', 'run', '--state', stage.file('relay2', ''));
  const ask = (...argv: string[]): Promise<string> => stage.tresse('relay', 'relay2', 'relay', ...argv);
  await vi.waitFor(() => ask('boxes'), patience);
  expect(await pair((await ask('pair', '--name', 'moved')).trim())).toContain('calls it "moved"');
  await vi.waitFor(async () => expect(await ask('boxes')).toMatch(/moved .*connected/u), patience);
  await bothUp();
});

test('a relay that is not there: the status says of each line why', async () => {
  expect(await pair(await codeFor('--name', 'back'))).toContain('"back"');
  await bothUp();
  const chain = 'add table inet d; add chain inet d i { type filter hook input priority 0; }';
  const rules =
    'add rule inet d i iifname op1 drop; add rule inet d i iifname op2 reject with icmp type host-unreachable';
  await at('relay', 'nft', `${chain}; ${rules}`);
  await stage.end('relay', 'SIGKILL');
  await vi.waitFor(
    async () =>
      expect(await reasons()).toEqual([
        // Of the path's newest connection, or of a handshake once one is wanted.
        expect.stringMatching(/^no answer from (?:the relay; the cable is plugged|203\.0\.113\.1:7443)/u),
        expect.stringMatching(/^there is no route to 203\.0\.113\.1/u),
      ]),
    { timeout: 40_000, interval: 100 },
  );
  await at('relay', 'nft', 'delete', 'table', 'inet', 'd');
  const refused = expect.stringContaining('203.0.113.1:7443 refuses the connection');
  await vi.waitFor(async () => expect(await reasons()).toEqual([refused, refused]), patience);
  stage.start('relay');
  await bothUp();
}, 120_000);

test('one identity on two boxes is said on both sides', async () => {
  // The first box goes back to the first relay, and its twin comes from another place.
  expect(await pair(await codeFor('--name', 'twin'))).toContain('"twin"');
  await bothUp();
  const twin = stage.file('twin', '');
  mkdirSync(twin, { recursive: true });
  for (const name of ['identity.pem', 'pairing.json']) {
    writeFileSync(stage.file('twin', name), readFileSync(stage.file('box', name)));
  }
  const lines = { uplinks: [{ name: 'net', interface: 'eth0', gateway: '198.51.100.1' }], lan: { interfaces: ['lo'] } };
  writeFileSync(stage.file('twin', 'box.yaml'), JSON.stringify(lines));
  const endTwin = stage.serve('inet', tresse, 'box', 'run', '--state', twin);
  const told = 'nother box with the identity of this one runs at';
  await vi.waitFor(async () => expect(await stage.status('box')).toContain(told), patience);
  await vi.waitFor(async () => expect(await stage.tresse('inet', 'twin', 'status')).toContain(told), patience);
  expect(await stage.status('relay')).toContain('runs on two boxes (seen from');
  await endTwin();
  await at('inet', 'nft', 'delete', 'table', 'inet', 'tresse');
  // With the twin gone the first box serves its LAN again.
  await bothUp();
  await vi.waitFor(() => at('lan', 'curl', '-sS', '-m', '3', '-o', '/dev/null', 'http://198.51.100.10/file'), patience);
  await at('lan', 'curl', '-sS', '-m', '3', '-o', '/dev/null', 'http://198.51.100.10/file');
});
