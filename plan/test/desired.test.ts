import { expect, test } from 'vitest';

import { renderState, resolveUplinks } from '../src/index.ts';
import { config, desire, machine } from './world.ts';

const household = machine({
  lan0: ['192.168.77.1/24', undefined],
  wan1: ['10.0.1.2/24', '10.0.1.1'],
  wan2: ['10.0.2.2/24', undefined],
  wan3: ['10.0.3.2/24', '10.0.3.1'],
});

const sysctls = {
  'net.ipv4.conf.lan0.forwarding': '0',
  'net.ipv4.conf.wan1.forwarding': '1',
  'net.ipv4.conf.wan2.forwarding': '0',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.wan1.rp_filter': '1',
  'net.ipv4.conf.wan2.rp_filter': '0',
  'net.ipv6.conf.all.forwarding': '0',
};

test('a household with three lines', async () => {
  const box = config([
    { name: 'dsl', interface: 'wan1', kind: 'adsl' },
    { name: 'vdsl', interface: 'wan2', kind: 'vdsl', gateway: '10.0.2.1' },
    { name: 'fibre', interface: 'wan3', kind: 'fibre', metered: true },
  ]);
  await expect(renderState(desire(box, household, sysctls))).toMatchFileSnapshot('golden/household.txt');
});

test('one card, two modems in one subnet, a PPP line and a host address, while IPv6 is forwarded', async () => {
  const facts = machine({
    eth0: ['192.168.1.252/24', '192.168.1.254'],
    ppp0: ['198.51.100.7/32', undefined],
    usb0: ['100.64.3.9/32', '100.64.0.1'],
  });
  const shared = facts.interfaces.map((one) =>
    one.name === 'eth0'
      ? { ...one, addresses: [...one.addresses, { address: '192.168.1.253', prefixLength: 24 }] }
      : one,
  );
  const box = config([
    { name: 'left', interface: 'eth0', address: '192.168.1.252', gateway: '192.168.1.240' },
    { name: 'right', interface: 'eth0', address: '192.168.1.253' },
    { name: 'dial', interface: 'ppp0' },
    { name: 'stick', interface: 'usb0', kind: '4g' },
  ]);
  const state = desire(box, { ...facts, interfaces: shared }, { ...sysctls, 'net.ipv6.conf.all.forwarding': '1' });
  await expect(renderState(state)).toMatchFileSnapshot('golden/one-card.txt');
});

test('lines that cannot carry: none, no address, switched off in the file, switched off on the machine', async () => {
  const facts = machine({
    wan1: ['', undefined],
    wan2: ['10.0.2.2/24', '10.0.2.1'],
    wan3: ['10.0.3.2/24', '10.0.3.1'],
  });
  const box = config([
    { name: 'gone', interface: 'wan9' },
    { name: 'bare', interface: 'wan1' },
    { name: 'off', interface: 'wan2', enabled: false },
    { name: 'down', interface: 'wan3' },
  ]);
  const interfaces = facts.interfaces.map((one) => (one.name === 'wan3' ? { ...one, up: false, carrier: false } : one));
  expect(resolveUplinks(box, { ...facts, interfaces }).map((uplink) => uplink.fault)).toEqual([
    'there is no interface wan9',
    'interface wan1 has no IPv4 address yet',
    'switched off in box.yaml',
    'interface wan3 is switched off (ip link set wan3 up)',
  ]);
  await expect(renderState(desire(box, { ...facts, interfaces }, sysctls))).toMatchFileSnapshot(
    'golden/nothing-carries.txt',
  );
});

test('a line without a known gateway says what to write', () => {
  const box = config([{ name: 'vdsl', interface: 'wan2' }]);
  expect(resolveUplinks(box, household)[0]?.fault).toBe(
    'no default route by wan2 is known: give this uplink its "gateway" in box.yaml',
  );
});
