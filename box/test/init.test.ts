import { boxConfig, readYaml } from '@tresse/schema';
import { expect, test } from 'vitest';

import { firstConfiguration } from '../src/init.ts';

const port = (name: string, address: string) => ({
  name,
  up: true,
  carrier: true,
  pointToPoint: false,
  mtu: 1500,
  addresses: [{ family: 4, address, prefixLength: 24, lasting: true, rank: 0 } as const],
});

test('the first box.yaml has the lines and the LAN of the machine, and wants no relay', () => {
  const text = firstConfiguration({
    interfaces: [
      port('lo', '127.0.0.1'),
      port('eth0', '192.168.1.2'),
      port('wwan0', '10.0.0.2'),
      port('br-LAN', '192.168.7.1'),
    ],
    gateways: [
      { family: 4, interface: 'eth0', gateway: '192.168.1.1', metric: 0 },
      { family: 4, interface: 'wwan0', gateway: '10.0.0.1', metric: 9 },
    ],
  });
  expect(readYaml('box.yaml', text, boxConfig)).toMatchObject({
    ok: true,
    value: {
      uplinks: [
        { name: 'eth0', interface: 'eth0', kind: 'other' },
        { name: 'wwan0', interface: 'wwan0', kind: '4g' },
      ],
      lan: { interfaces: ['br-LAN'] },
    },
  });
});

test('a machine with nothing still gets a file to fill in', () => {
  expect(firstConfiguration({ interfaces: [], gateways: [] })).toContain('interfaces: [lan0]');
});
