import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openStateDirectory, type StateDirectory } from '@tresse/daemon';
import { afterEach, expect, test } from 'vitest';

import { GuestList } from '../src/guest-list.ts';
import { Register } from '../src/register.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function directory(): StateDirectory {
  const folder = mkdtempSync(join(tmpdir(), 'tresse-register-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return openStateDirectory(folder);
}

const pinOf = (letter: string): string => `${letter.repeat(42)}A`;
const [ours, theirs, third] = [pinOf('a'), pinOf('b'), pinOf('c')];
const tokenOf = (letter: string): string => `${letter.repeat(21)}A`;
const [token, other] = [tokenOf('x'), tokenOf('y')];
const hourMs = 3_600_000;

/** A relay's list and register, with a box of relay.yaml. */
function relay(state = directory()): { state: StateDirectory; register: Register; guests: GuestList } {
  const register = new Register(state);
  return { state, register, guests: new GuestList([{ name: 'office', pin: third }], register) };
}

test('a token lets in one box, once; the same box may ask again, another may not', () => {
  const { guests, register } = relay();
  register.expect(token, 'home', hourMs, 0);
  expect(guests.welcome(ours)).toEqual({ refused: 'unknown-box' });
  expect(guests.pair(ours, token, 5)).toEqual({ name: 'home' });
  expect(guests.pair(ours, token, 6)).toEqual({ name: 'home' });
  expect(guests.pair(theirs, token, 7)).toEqual({ refused: 'token-used' });
  expect(guests.welcome(ours)).toEqual({ name: 'home' });
  expect(guests.welcome(theirs)).toEqual({ refused: 'unknown-box' });
});

test('a wrong token, an expired one and a used one are told apart, also long after', () => {
  const { guests, register } = relay();
  register.expect(token, undefined, hourMs, 0);
  register.expect(other, undefined, hourMs, 0);
  expect(guests.pair(ours, tokenOf('z'), 1)).toEqual({ refused: 'token-wrong' });
  expect(guests.pair(ours, token, hourMs - 1)).toEqual({ name: 'box-1' });
  expect(guests.pair(theirs, other, hourMs)).toEqual({ refused: 'token-expired' });
  const dayMs = 24 * hourMs;
  register.flush(5 * dayMs);
  expect(guests.pair(theirs, other, 5 * dayMs)).toEqual({ refused: 'token-expired' });
  expect(guests.pair(theirs, token, 5 * dayMs)).toEqual({ refused: 'token-used' });
  register.flush(9 * dayMs);
  expect(guests.pair(theirs, token, 9 * dayMs)).toEqual({ refused: 'token-wrong' });
});

test('the relay dies after the token was used: the box that heard nothing asks again, and nobody else gets in', () => {
  const { state, register, guests } = relay();
  register.expect(token, 'home', hourMs, 0);
  guests.pair(ours, token, 1);
  const after = relay(state);
  expect(after.guests.pair(theirs, token, 2)).toEqual({ refused: 'token-used' });
  expect(after.guests.pair(ours, token, 2)).toEqual({ name: 'home' });
});

test('the file is for its owner alone and holds no token', () => {
  const { state, register } = relay();
  register.expect(token, 'home', hourMs, 0);
  expect(statSync(state.file('boxes.json')).mode & 0o777).toBe(0o600);
  const text = readFileSync(state.file('boxes.json'), 'utf8');
  expect(text).not.toContain(token);
  expect(text).not.toContain(Buffer.from(token, 'base64url').toString('hex'));
});

test('a revoked box is told so, its old code is used, and a new one lets it in again', () => {
  const { guests, register } = relay();
  register.expect(token, 'home', hourMs, 0);
  guests.pair(ours, token, 1);
  expect(guests.revoke('home', 2)).toBe(ours);
  expect(guests.welcome(ours)).toEqual({ refused: 'revoked' });
  expect(guests.pair(ours, token, 3)).toEqual({ refused: 'token-used' });
  register.expect(other, undefined, hourMs, 3);
  expect(guests.pair(ours, other, 4)).toEqual({ name: 'box-1' });
  expect(guests.welcome(ours)).toEqual({ name: 'box-1' });
});

test('names are unique, over both kinds of boxes, also when a name is taken between code and use', () => {
  const { guests, register } = relay();
  expect(() => guests.requireFree('office')).toThrow('A box is called "office" already');
  register.expect(token, 'home', hourMs, 0);
  register.expect(other, 'home', hourMs, 0);
  expect(guests.pair(ours, token, 1)).toEqual({ name: 'home' });
  expect(guests.pair(theirs, other, 1)).toEqual({ name: 'home-2' });
  expect(() => guests.rename('home', 'home-2')).toThrow('A box is called "home-2" already');
  expect(() => guests.rename('home', 'office')).toThrow('A box is called "office" already');
  guests.rename('home', 'home');
  guests.rename('home', 'cabin');
  expect(guests.nameOf(ours)).toBe('cabin');
  expect(guests.all().map((one) => one.name)).toEqual(['office', 'cabin', 'home-2']);
});

test('what is not there, or stands in relay.yaml, is said with what to do', () => {
  const { guests } = relay();
  expect(() => guests.revoke('nobody', 0)).toThrow('No box is called "nobody": "tresse relay boxes" lists them.');
  expect(() => guests.revoke('office', 0)).toThrow('stands in relay.yaml: take it out there, and restart the relay');
  expect(() => guests.rename('office', 'x')).toThrow('stands in relay.yaml: give it another name there');
});

test('a box of relay.yaml that is paired too keeps its name there and is listed once', () => {
  const { guests, register } = relay();
  register.expect(token, 'home', hourMs, 0);
  expect(guests.pair(third, token, 1)).toEqual({ name: 'office' });
  expect(guests.all()).toEqual([{ name: 'office', pin: third, origin: 'configured' }]);
  expect(guests.size).toBe(1);
});

test('what cannot be written did not happen: the token stays good, the box stays in', () => {
  const state = directory();
  let isFull = false;
  const moody: StateDirectory = {
    ...state,
    write: (name, text) => {
      if (isFull) throw new TypeError('no space left on device');
      state.write(name, text);
    },
  };
  const { guests, register } = relay(moody);
  register.expect(token, 'home', hourMs, 0);
  isFull = true;
  expect(() => guests.pair(ours, token, 1)).toThrow('no space');
  expect(guests.welcome(ours)).toEqual({ refused: 'unknown-box' });
  expect(() => register.expect(other, undefined, hourMs, 1)).toThrow('no space');
  isFull = false;
  expect(guests.pair(theirs, other, 2)).toEqual({ refused: 'token-wrong' });
  expect(guests.pair(ours, token, 2)).toEqual({ name: 'home' });
  isFull = true;
  expect(() => guests.revoke('home', 3)).toThrow('no space');
  expect(guests.welcome(ours)).toEqual({ name: 'home' });
});

test('who was seen when is written down later, and outlives the relay', () => {
  const { state, guests, register } = relay();
  register.expect(token, 'home', hourMs, 0);
  guests.pair(ours, token, 1);
  register.seen(ours, 77, '192.0.2.1');
  register.seen(theirs, 78, '192.0.2.2');
  expect(relay(state).guests.all()[1]).toEqual({ name: 'home', pin: ours, origin: 'paired' });
  register.flush(99);
  expect(relay(state).guests.all()[1]).toMatchObject({ lastSeenMs: 77, address: '192.0.2.1' });
});

test('a damaged file is a sentence, and a crowd of waiting codes too', () => {
  const state = directory();
  writeFileSync(state.file('boxes.json'), '{"version":1');
  expect(() => new Register(state)).toThrow(/boxes\.json is damaged: put it back from a copy/u);
  const { register } = relay();
  for (let i = 0; i < 256; i++)
    register.expect(`${'w'.repeat(18)}${String(i).padStart(3, '0')}A`, undefined, hourMs, 0);
  expect(() => register.expect(token, undefined, hourMs, 0)).toThrow('256 pairing codes wait to be used already');
  register.expect(token, undefined, 3 * hourMs, 2 * hourMs);
});
