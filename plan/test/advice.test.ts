import { SystemError, UserError } from '@tresse/kit';
import { relayConfig } from '@tresse/schema';
import { expect, test } from 'vitest';

import { adviseBox, adviseNeed, adviseRelay, checkText, type Facts, resolveUplinks } from '../src/index.ts';
import { config, machine } from './world.ts';

const said = (box: ReturnType<typeof config>, facts: Facts): string[] =>
  adviseBox(box, facts, resolveUplinks(box, facts)).map((one) => `${one.severity}: ${one.sentence}`);

const good = machine({ lan0: ['192.168.77.1/24', undefined], wan1: ['10.0.1.2/24', '10.0.1.1'] });
const line = { name: 'dsl', interface: 'wan1' };

test('where all fits nothing is said', () => {
  expect(said(config([line]), good)).toEqual([]);
});

test('lines and LAN that are not there', () => {
  expect(said(config([{ name: 'dsl', interface: 'wan9' }]), machine({}))).toEqual([
    'warning: dsl: there is no interface wan9',
    'warning: no line can send now: nothing leaves until one can',
    'problem: lan: there is no interface lan0: no host behind it is bonded',
  ]);
  const bare = machine({ lan0: ['', undefined], wan1: ['10.0.1.2/24', undefined] });
  expect(said(config([line]), bare)).toEqual([
    'warning: dsl: no default route by wan1 is known: give this uplink its "gateway" in box.yaml',
    'warning: no line can send now: nothing leaves until one can',
    'warning: lan: interface lan0 has no address: hosts there cannot use this box as their gateway yet',
  ]);
});

test('a line that is switched off in the file is as it was meant', () => {
  expect(said(config([line, { name: 'off', interface: 'wan9', enabled: false }]), good)).toEqual([]);
});

test.each([
  ['192.168.77.2/24', 'LAN on lan0 (192.168.77.0/24) and the line dsl (192.168.77.0/24) overlap'],
  ['192.168.2.2/16', 'LAN on lan0 (192.168.77.0/24) and the line dsl (192.168.0.0/16) overlap'],
])('a LAN in the same network as a line at %s', (address, sentence) => {
  const facts = machine({ lan0: ['192.168.77.1/24', undefined], wan1: [address, '192.168.77.254'] });
  expect(said(config([line]), facts)).toEqual([expect.stringContaining(sentence)]);
});

test('two lines with one address', () => {
  const facts = machine({
    lan0: ['192.168.77.1/24', undefined],
    wan1: ['192.168.8.100/24', '192.168.8.1'],
    wan2: ['192.168.8.100/24', '192.168.8.1'],
  });
  expect(said(config([line, { name: 'lte', interface: 'wan2' }]), facts)).toEqual([
    'problem: the lines dsl and lte have the same address 192.168.8.100: packets cannot be told apart',
  ]);
});

const relayAt = (address: string): ReturnType<typeof config> => {
  const box = config([line]);
  return { ...box, relay: { ...box.relay, addresses: [address] } };
};

test('a relay on the wrong side', () => {
  expect(said(relayAt('192.168.77.9'), good)).toEqual([
    'problem: relay: 192.168.77.9 lies in the LAN on lan0 (192.168.77.0/24), behind this box instead of before it',
  ]);
  expect(said(relayAt('10.0.1.2'), good)).toEqual(["problem: relay: 10.0.1.2 is this machine's own address (on wan1)"]);
});

const advise = (given: unknown, facts: Facts): string[] =>
  adviseRelay(relayConfig.parse(given), facts).map((one) => `${one.severity}: ${one.sentence}`);

test('a relay and its machine', () => {
  const server = machine({ eth0: ['203.0.113.1/24', '203.0.113.254'] });
  expect(advise({ listen: { addresses: ['203.0.113.1'] } }, server)).toEqual([]);
  expect(advise({ listen: { addresses: ['203.0.113.7'] } }, server)).toEqual([
    'problem: listen: 203.0.113.7 is not an address of this machine',
  ]);
  expect(
    advise({ public: ['203.0.113.9'], listen: { port: 443 } }, machine({ eth0: ['10.2.0.5/24', undefined] })),
  ).toEqual([
    'problem: this machine has no default route: nothing behind it can be reached',
    'warning: 203.0.113.9 must pass TCP port 443 on to here: this machine has no public address of its own',
  ]);
  expect(advise({ allowPrivate: ['10.2.0.0/16'] }, machine({ eth0: ['10.2.0.5/24', '10.2.0.1'] }))).toEqual([
    expect.stringContaining('allowPrivate: 10.2.0.0/16 holds an address of this machine'),
  ]);
});

const needing =
  (error: Error): (() => never) =>
  () => {
    throw error;
  };

test('what a daemon would refuse to start for is a problem, what cannot be looked at a warning, the rest no advice', () => {
  expect(adviseNeed(() => 'there')).toEqual([]);
  expect(adviseNeed(needing(new UserError('IDENTITY_MISSING', 'There is none.')))).toEqual([
    { severity: 'problem', sentence: 'There is none' },
  ]);
  expect(adviseNeed(needing(new UserError('STATE_UNREADABLE', 'It cannot be read.')))).toEqual([
    { severity: 'warning', sentence: 'without root: It cannot be read' },
  ]);
  expect(() => adviseNeed(needing(new SystemError('DISK', 'gone')))).toThrow('gone');
});

test('what must be mended stands before what is worth knowing', () => {
  const text = checkText({
    file: 'box.yaml',
    facts: ['lan: lan0'],
    advice: [
      { severity: 'warning', sentence: 'a' },
      { severity: 'problem', sentence: 'b' },
    ],
    changes: ['Nothing would change.'],
  });
  expect(text).toMatchInlineSnapshot(`
    "box.yaml is valid.
      lan: lan0

    Must be mended:
      - b

    Worth knowing:
      - a

    Nothing would change.
    "
  `);
});
