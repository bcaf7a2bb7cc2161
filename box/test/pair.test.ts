import { boxConfig } from '@tresse/schema';
import { expect, test } from 'vitest';

import { waysTo } from '../src/pair.ts';

type Facts = Parameters<typeof waysTo>[1];

const address = (text: string) => ({
  family: text.includes(':') ? (6 as const) : (4 as const),
  address: text,
  prefixLength: 24,
  lasting: true,
  rank: 0,
});
const port = (name: string, carrier: boolean, ...addresses: string[]) => ({
  name,
  up: true,
  carrier,
  pointToPoint: false,
  mtu: 1500,
  addresses: addresses.map((one) => address(one)),
});
const facts: Facts = {
  interfaces: [
    port('lan0', true, '192.168.7.1'),
    port('wan1', true, '10.0.1.2', '2001:db8:1::2'),
    port('wan2', true, '10.0.2.2'),
    port('wan3', false, '10.0.3.2'),
  ],
  gateways: [
    { family: 4, interface: 'wan2', gateway: '10.0.2.1', metric: 1 },
    { family: 4, interface: 'wan1', gateway: '10.0.1.1', metric: 9 },
    { family: 6, interface: 'wan1', gateway: 'fe80::1', metric: 9 },
  ],
};
const relay = ['203.0.113.1', '2001:db8::1'];

test('without box.yaml every interface with a default route is a way, of each family it has', () => {
  const { ways, faults } = waysTo(relay, facts, undefined);
  expect(ways.map(({ line, relayAddress, localAddress }) => [line, relayAddress, localAddress])).toEqual([
    ['wan2', '203.0.113.1', '10.0.2.2'],
    ['wan1', '203.0.113.1', '10.0.1.2'],
    ['wan1', '2001:db8::1', '2001:db8:1::2'],
  ]);
  expect(faults).toEqual([]);
});

test('with box.yaml its uplinks are, the metered ones last; what cannot send says why, what is switched off nothing', () => {
  const file = boxConfig.parse({
    uplinks: [
      { name: 'lte', interface: 'wan2', metered: true },
      { name: 'dsl', interface: 'wan1' },
      { name: 'sat', interface: 'wan3' },
      { name: 'old', interface: 'wan9', enabled: false },
    ],
    lan: { interfaces: ['lan0'] },
  });
  const { ways, faults } = waysTo(['2001:db8::1'], facts, file);
  expect(ways.map((one) => [one.line, one.interface])).toEqual([['dsl', 'wan1']]);
  expect(faults).toEqual([
    { line: 'sat', sentence: 'no carrier on wan3' },
    { line: 'lte', sentence: "it has no address of the family of the relay's (2001:db8::1)" },
  ]);
  expect(waysTo(['203.0.113.1'], facts, file).ways.map((one) => one.line)).toEqual(['dsl', 'lte']);
});

test('a machine without any default route still tries', () => {
  expect(waysTo(['203.0.113.1'], { interfaces: [], gateways: [] }, undefined).ways).toEqual([
    { line: 'this machine', relayAddress: '203.0.113.1' },
  ]);
});
