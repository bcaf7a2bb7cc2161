import { expect, test } from 'vitest';

import { InnerNetwork } from '../src/inner-network.ts';

const network = new InnerNetwork('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU');

test('a box keeps its addresses, another has others, each in the network of its worker', () => {
  const first = network.of('a', 0, true);
  expect(first).toEqual(network.of('a', 0, true));
  expect(first?.ipv4).toBe('100.127.0.2');
  expect(first?.ipv6).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}:0::2$/u);
  expect(network.of('b', 0, false)).toEqual({ ipv4: '100.127.0.3' });
  expect(network.of('a', 3, true)?.ipv4).toBe('100.127.12.2');
  expect(network.own(3, true)).toEqual(['100.127.12.1/22', `${first?.ipv6?.replace('0::2', '3::1')}/64`]);
  expect(network.own(0, false)).toEqual(['100.127.0.1/22']);
});

test('a relay of another pin has another IPv6 network', () => {
  const other = new InnerNetwork('another').of('a', 0, true);
  expect(other?.ipv6).not.toBe(network.of('a', 0, true)?.ipv6);
});

test('a full network has no address, and no two boxes share one', () => {
  const many = new InnerNetwork('many');
  const given = Array.from({ length: 1_022 }, (_, i) => many.of(`box ${i}`, 1, true)?.ipv4);
  expect(given.filter((one) => one === undefined)).toHaveLength(1);
  expect(new Set(given).size).toBe(1_022);
  expect(given).toContain('100.127.7.254');
});
