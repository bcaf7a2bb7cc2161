import { readInterfaces } from '@tresse/plan';
import { expect, test } from 'vitest';

import { publicAddresses } from '../src/public-addresses.ts';

const inet = (local: string, flags: object = {}) => ({
  family: local.includes(':') ? 'inet6' : 'inet',
  local,
  prefixlen: 24,
  scope: local.startsWith('fe80') ? 'link' : 'global',
  ...flags,
});
const found = (...addresses: object[]): string[] =>
  publicAddresses(readInterfaces([{ ifname: 'eth0', flags: ['UP'], mtu: 1500, addr_info: addresses }]));

test('only what the internet can reach is found, IPv4 first, each once, at most four', () => {
  expect(
    found(
      inet('2001:db8::7'),
      inet('10.0.0.1'),
      inet('172.31.255.1'),
      inet('172.32.0.1'),
      inet('192.168.1.1'),
      inet('100.64.0.1'),
      inet('100.128.0.1'),
      inet('169.254.3.4'),
      inet('198.19.0.1'),
      inet('fd00::1'),
      inet('fe80::1'),
      inet('172.32.0.1'),
    ),
  ).toEqual(['172.32.0.1', '100.128.0.1', '2001:db8::7']);
  expect(found(...['1', '2', '3', '4', '5'].map((one) => inet(`203.0.113.${one}`)))).toHaveLength(4);
});

test('addresses that go away by themselves are left out', () => {
  expect(found(inet('2001:db8::1', { temporary: true }), inet('2001:db8::2', { tentative: true }))).toEqual([]);
});
