import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ipFamily, ipNetwork, ipOctets, ipText, ipWithin } from '../src/index.ts';

const octets = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
  // Mostly zeros, so that there are runs to shorten.
  fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) }),
    {
      minLength: 16,
      maxLength: 16,
    },
  ),
);

test('what is written is read back', () => {
  fc.assert(
    fc.property(octets, (bytes) => {
      expect(ipOctets(ipText(bytes))).toEqual(bytes);
      expect(ipFamily(ipText(bytes))).toBe(bytes.length === 4 ? 4 : 6);
    }),
  );
});

test.each([
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:0:0:0:0', '2001:db8:0:1::'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
  ['10.0.1.2', '10.0.1.2'],
])('%s has the one text %s', (given, text) => {
  expect(ipText(ipOctets(given) ?? [])).toBe(text);
});

test.each([
  '',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  'fe80::1%eth0',
])('"%s" is no address', (text) => {
  expect(ipOctets(text)).toBeUndefined();
});

test.each(['1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', 'g::', '1.2.3.4::', '::1.2.3', '12345::'])(
  '"%s" is none either',
  (text) => {
    expect(ipOctets(text)).toBeUndefined();
  },
);

test('networks hold their own addresses and no others', () => {
  expect(ipNetwork('10.0.1.130', 25)).toBe('10.0.1.128/25');
  expect(ipNetwork('2001:db8:1:ffff::1', 51)).toBe('2001:db8:1:e000::/51');
  expect(ipWithin('10.0.1.1', '10.0.0.0/23')).toBe(true);
  expect(ipWithin('10.0.2.1', '10.0.0.0/23')).toBe(false);
  expect(ipWithin('fe80::1', 'fe80::/10')).toBe(true);
  expect(ipWithin('10.0.1.1', '::/0')).toBe(false);
  fc.assert(
    fc.property(octets, fc.integer({ min: 0, max: 128 }), (bytes, bits) => {
      const length = Math.min(bits, bytes.length * 8);
      const network = ipNetwork(ipText(bytes), length);
      expect(ipWithin(ipText(bytes), network)).toBe(true);
      expect(ipNetwork(network.split('/')[0]!, length)).toBe(network);
    }),
  );
});
