import { expect, test } from 'vitest';

import { mayPublish, publishable, resolveUplinks } from '../src/index.ts';
import { config, machine } from './world.ts';

const facts = machine({
  lo: ['127.0.0.1/8 ::1/128', undefined],
  lan0: ['192.168.77.1/24 fd00:77::1/64 fe80::1/64', undefined],
  wan1: ['10.0.1.2/24', '10.0.1.1'],
});
const lines = [{ name: 'dsl', interface: 'wan1' }];

/** Whether hosts with these addresses may be published. */
function allowed(
  wanted: 'lan' | 'none' | string[],
  addresses: string[],
  at = facts,
  uplinks: object[] = lines,
): boolean[] {
  const box = { ...config(uplinks as Record<string, unknown>[]), publishable: wanted };
  const access = publishable(box, at, resolveUplinks(box, at));
  return addresses.map((one) => mayPublish(access, one));
}

test('hosts of the LAN may be published; the box, its lines, neighbours and what is no host may not', () => {
  expect(allowed('lan', ['192.168.77.2', 'fd00:77::2'])).toEqual([true, true]);
  const others = ['192.168.77.1', 'fd00:77::1', '10.0.1.1', '10.0.1.2', '10.0.1.7', '192.168.78.2', '198.51.100.1'];
  expect(allowed('lan', [...others, '127.0.0.1', '127.7.7.7', '::1', 'fe80::2', '224.0.0.1'])).not.toContain(true);
  expect(allowed('none', ['192.168.77.2', 'fd00:77::2'])).toEqual([false, false]);
});

test('a list names them: hosts, networks, and the box itself only by its address', () => {
  const list = ['192.168.77.9', '192.168.50.0/24', '10.0.1.0/24', 'fd00:50::/64'];
  const asked = ['192.168.77.9', '192.168.77.8', '192.168.50.1', '10.0.1.7', '10.0.1.1', '10.0.1.2', 'fd00:50::5'];
  expect(allowed(list, asked)).toEqual([true, false, true, true, false, false, true]);
  expect(allowed(['192.168.77.1', '10.0.1.1'], ['192.168.77.1', '10.0.1.1', 'fd00:77::1'])).toEqual([
    true,
    true,
    false,
  ]);
  expect(allowed(['0.0.0.0/0', '::/0'], ['127.0.0.1', '::1', '169.254.1.1', '192.0.2.1'])).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test('where modems hang on the LAN card their own networks are left out, and one for all is the LAN', () => {
  const apart = machine({ lan0: ['192.168.77.1/24 192.168.1.2/24', '192.168.1.1'] });
  const line = [{ name: 'dsl', interface: 'lan0', address: '192.168.1.2' }];
  expect(allowed('lan', ['192.168.77.2', '192.168.1.3'], apart, line)).toEqual([true, false]);
  const one = machine({ lan0: ['192.168.1.2/24', '192.168.1.1'] });
  expect(allowed('lan', ['192.168.1.3', '192.168.1.1', '192.168.1.2'], one, line)).toEqual([true, false, false]);
});
