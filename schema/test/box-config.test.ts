import { expect, test } from 'vitest';

import { boxConfig, readYaml } from '../src/index.ts';

const good = `uplinks:
  - name: dsl
    interface: wan1
    kind: adsl
  - name: fibre
    interface: wan2
    gateway: 10.0.2.1
    metered: true
lan:
  interfaces: [lan0]
relay:
  addresses: [203.0.113.1]
  pin: 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
`;

const sentences = (text: string): string[] => {
  const reading = readYaml('box.yaml', text, boxConfig);
  return reading.ok ? [] : reading.sentences;
};

test('a good file is read with its defaults', () => {
  const reading = readYaml('box.yaml', good, boxConfig);
  expect(reading).toMatchObject({
    ok: true,
    value: {
      uplinks: [
        { name: 'dsl', gateway: 'auto', address: 'auto', metered: false, enabled: true },
        { name: 'fibre', gateway: '10.0.2.1', metered: true },
      ],
      relay: { port: 7443 },
    },
  });
});

const limited = (limit: string): string => good.replace('kind: adsl', `rateLimit: ${limit}`);

test('the limit of a line is a rate each way, or one way', () => {
  const reading = readYaml('box.yaml', limited('{ down: 45.5 Mbit/s, up: 900 kbit/s }'), boxConfig);
  expect(reading).toMatchObject({ ok: true, value: { uplinks: [{ rateLimit: { down: 45.5e6, up: 9e5 } }, {}] } });
  expect(sentences(limited('{ up: 1 Mbit/s }'))).toEqual([]);
  expect(sentences(limited('{ down: 10 kbit/s }'))).toEqual([expect.stringContaining('a limit is at least 64 kbit/s')]);
  expect(sentences(limited('{ down: 45 }'))).toEqual([expect.stringContaining('100 Mbit/s')]);
});

test.each([
  [
    'an unknown kind',
    ['kind: adsl', 'kind: adls'],
    'box.yaml:4:11 uplinks.0.kind: "adls" is not accepted (accepted: adsl, vdsl, cable, fibre, 4g, 5g, satellite, wifi, phone, other)',
  ],
  [
    'an unknown key',
    ['kind: adsl', 'coast: 3'],
    'box.yaml:4:5 uplinks.0.coast: unknown key (accepted: name, interface, gateway, address, kind, metered, rateLimit, enabled)',
  ],
  [
    'an unknown key at the top',
    ['lan:\n', 'wan: 1\nlan:\n'],
    'box.yaml:9:1 wan: unknown key (accepted: uplinks, lan, withoutRelay, publishable, reachable, relay, packets)',
  ],
  [
    'an address that cannot be',
    ['203.0.113.1', '203.0.113.256'],
    'box.yaml:12:15 relay.addresses.0: "203.0.113.256": not an IP address (write it as 192.0.2.1 or 2001:db8::1)',
  ],
  [
    'loopback as the relay',
    ['203.0.113.1', '127.0.0.1'],
    'box.yaml:12:15 relay.addresses.0: no machine can have this address (it is loopback, multicast or reserved)',
  ],
  [
    'a gateway of neither form',
    ['gateway: 10.0.2.1', 'gateway: automatic'],
    'box.yaml:7:14 uplinks.1.gateway: "automatic": not an IP address (write it as 192.0.2.1 or 2001:db8::1), nor auto',
  ],
  ['a key twice', ['kind: adsl', 'name: dsl2'], 'box.yaml:4:5 name: this key is given twice'],
  ['a name twice', ['name: fibre', 'name: dsl'], 'box.yaml:5:11 uplinks.1.name: two uplinks are named "dsl"'],
  [
    'a port out of range',
    ['  pin:', '  port: 70000\n  pin:'],
    'box.yaml:13:9 relay.port: 70000 is out of range (at most 65535)',
  ],
  [
    'a number with a unit where none belongs',
    ['  pin:', '  port: 7443 tcp\n  pin:'],
    'box.yaml:13:9 relay.port: expected a number, got "7443 tcp"',
  ],
  [
    'a missing key',
    ['    interface: wan1\n', ''],
    'box.yaml:2:5 uplinks.0.interface: this key is missing (expected text)',
  ],
  ['no uplinks', [/uplinks:\n(?: .*\n)+/u, 'uplinks: []\n'], 'box.yaml:1:10 uplinks: needs at least 1 entry'],
  [
    'a pin cut short',
    ['-5JCeuQ', ''],
    'box.yaml:13:8 relay.pin: "47DEQpj8HBSa-_TImWeRkm5NMpJWZG3hSuFU": not a pin (43 characters, as `tresse relay init` or `tresse box init` prints it)',
  ],
  [
    'two lines on one card',
    ['interface: wan2', 'interface: wan1'],
    'box.yaml:6:16 uplinks.1.interface: wan1 is used by two uplinks: give each its own "address", so that they can be told apart',
  ],
  [
    'two addresses of one family',
    ['gateway: 10.0.2.1', 'address: [10.0.2.2, 10.0.2.3]'],
    'box.yaml:7:14 uplinks.1.address: 10.0.2.2 and 10.0.2.3 are of one family: one of each is taken',
  ],
  [
    'a gateway of a family without address',
    ['gateway: 10.0.2.1', 'address: 10.0.2.2\n    gateway: fe80::1'],
    'box.yaml:8:14 uplinks.1.gateway: fe80::1 is of a family of which this uplink has no "address"',
  ],
  [
    'a link-local relay',
    ['203.0.113.1', 'fe80::1'],
    'box.yaml:12:15 relay.addresses.0: a link-local address is known on its own link only',
  ],
  [
    'a word for what is done without a relay',
    ['lan:\n', 'withoutRelay: wait\nlan:\n'],
    'box.yaml:9:15 withoutRelay: "wait" is not accepted (accepted: direct, refuse)',
  ],
  [
    'an uplink on the LAN card',
    ['[lan0]', '[wan2]'],
    'box.yaml:6:16 uplinks.1.interface: wan2 is a LAN interface too: give this uplink its "address"',
  ],
])('%s is named with its place and what is accepted', (_, [from, to], sentence) => {
  expect(sentences(good.replace(from as string, to as string))).toEqual([sentence]);
});

test('all faults are told at once, in the order of the file', () => {
  const text = good.replace('kind: adsl', 'kind: 3').replace('[lan0]', 'lan0').replace('metered: true', 'metered: 1');
  expect(sentences(text).map((s) => s.slice(0, s.indexOf(' ')))).toEqual([
    'box.yaml:4:11',
    'box.yaml:8:14',
    'box.yaml:10:15',
  ]);
});

test('IPv6 addresses are read in every form and kept in one', () => {
  const text = good
    .replace('gateway: 10.0.2.1', 'gateway: [10.0.2.1, FE80:0::1]\n    address: [10.0.2.2, "2001:DB8:0:0:0:0:0:2"]')
    .replace('203.0.113.1', '"2001:0DB8:aa:0:0:0:0:1", 203.0.113.1');
  const reading = readYaml('box.yaml', text, boxConfig);
  expect(reading).toMatchObject({
    ok: true,
    value: {
      uplinks: [{}, { gateway: ['10.0.2.1', 'fe80::1'], address: ['10.0.2.2', '2001:db8::2'] }],
      relay: { addresses: ['2001:db8:aa::1', '203.0.113.1'] },
      withoutRelay: 'direct',
      packets: { bulk: 'earliest', realtimeCopies: 'auto' },
    },
  });
});

test('what is not YAML is refused with its place', () => {
  expect(sentences('uplinks: [1\nlan: 2\n')[0]).toMatch(/^box\.yaml:\d+:\d+ not YAML: /u);
});

test('an empty file misses everything', () => {
  expect(sentences('')).toEqual(['box.yaml:1:1: expected a map of keys, got nothing']);
});
