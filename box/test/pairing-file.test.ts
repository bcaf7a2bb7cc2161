import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeLog, openStateDirectory, type StateDirectory } from '@tresse/daemon';
import { boxConfig, type BoxFile } from '@tresse/schema';
import { afterEach, expect, test } from 'vitest';

import { keepPairing, withRelay } from '../src/pairing-file.ts';
import { PairingWatch } from '../src/pairing-watch.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function directory(): StateDirectory {
  const folder = mkdtempSync(join(tmpdir(), 'tresse-pairing-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return openStateDirectory(folder);
}

const pin = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';
const place = { addresses: ['203.0.113.1', '2001:db8::1'], port: 7443, pin };
const bare: BoxFile = boxConfig.parse({ uplinks: [{ name: 'a', interface: 'wan1' }], lan: { interfaces: ['lan0'] } });
const named: BoxFile = { ...bare, relay: { addresses: ['198.51.100.1'], port: 1, pin } };

test('a box goes to the relay of box.yaml, else to the one it is paired with, else it says how to get one', () => {
  const state = directory();
  expect(() => withRelay(bare, state)).toThrow('This box knows no relay: get a code by "tresse relay pair" there');
  keepPairing(state, { ...place, name: 'home' });
  expect(statSync(state.file('pairing.json')).mode & 0o777).toBe(0o600);
  expect(withRelay(bare, state)).toEqual({ ...bare, relay: place });
  expect(withRelay(named, state)).toEqual(named);
});

test('a damaged pairing is a sentence; keys of a later version are no damage', () => {
  const state = directory();
  state.write('pairing.json', JSON.stringify({ ...place, name: 'home', later: { more: 1 } }));
  expect(withRelay(bare, state).relay).toEqual(place);
  for (const text of ['', '{', '[]', JSON.stringify({ ...place, name: 'home', port: 0 })]) {
    state.write('pairing.json', text);
    expect(() => withRelay(bare, state)).toThrow(/pairing\.json is damaged: pair this box again/u);
  }
});

/** A watch, what it called, and what it said. */
function watched(file: BoxFile, state: StateDirectory): { watch: PairingWatch; again: () => number; lines: string[] } {
  const lines: string[] = [];
  let count = 0;
  const log = makeLog('debug', (line) => lines.push(line));
  const watch = new PairingWatch(file, state, log, () => count++);
  ends.push(() => watch.stop());
  return { watch, again: () => count, lines };
}

test('a box that runs sees that it was paired with another relay, and not what else changes there', async () => {
  const state = directory();
  keepPairing(state, { ...place, name: 'home' });
  const { watch, lines } = watched(bare, state);
  const other = watch.other(place);
  state.write('sysctls.json', '{}');
  state.write('pairing.json', 'half written by somebody');
  keepPairing(state, { ...place, port: 7444, name: 'home' });
  expect((await other).relay).toEqual({ ...place, port: 7444 });
  expect(lines.join('')).toContain('this box was paired anew');
  // It may have changed before anybody waits for it again.
  keepPairing(state, { ...place, port: 7445, name: 'home' });
  expect((await watch.other({ ...place, port: 7444 })).relay.port).toBe(7445);
});

test('paired with the same relay again, it is tried at once', async () => {
  const state = directory();
  keepPairing(state, { ...place, name: 'home' });
  const { watch, again } = watched(bare, state);
  void watch.other(place);
  const before = again();
  keepPairing(state, { ...place, name: 'cabin' });
  await expect.poll(again).toBeGreaterThan(before);
});

test('where box.yaml names the relay, pairings are not looked at', () => {
  const state = directory();
  const { watch, again } = watched(named, state);
  void watch.other(named.relay ?? place);
  keepPairing(state, { ...place, name: 'home' });
  expect(again()).toBeLessThanOrEqual(1);
});
