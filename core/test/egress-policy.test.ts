import { expect, test } from 'vitest';

import { EgressPolicy } from '../src/index.ts';

/** The bytes of groups with colons between them. */
function groups(part: string): number[] {
  return part.split(':').flatMap((g) => (g === '' ? [] : [Number.parseInt(g, 16) >> 8, Number.parseInt(g, 16) & 0xff]));
}

/** The bytes of an address as written: dotted, or eight groups with at most one gap. */
function bytesOf(text: string): Uint8Array {
  const dotted = /(?:\d+\.){3}\d+$/u.exec(text)?.[0];
  const tail = dotted?.split('.').map(Number) ?? [];
  if (dotted === text) return Uint8Array.from(tail);
  const [left = '', right] = text.slice(0, text.length - (dotted?.length ?? 0)).split('::');
  const head = groups(left);
  const rest = [...groups(right ?? ''), ...tail];
  return Uint8Array.from([...head, ...Array(16 - head.length - rest.length).fill(0), ...rest]);
}

const policy = new EgressPolicy([bytesOf('203.0.113.1'), bytesOf('2001:db8::1')], []);

test.each([
  '127.0.0.1',
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.127.255.255',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '203.0.113.1',
  '::',
  '::1',
  'fc00::1',
  'fdff::1',
  'fe80::1',
  'febf::1',
  'ff02::1',
  '2001:db8::1',
  '::ffff:10.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:203.0.113.1',
  '::10.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::203.0.113.1',
  '64:ff9b:1::192.168.1.1',
  '2002:0a00:0001::1',
])('%s is refused', (address) => {
  expect(policy.allows(bytesOf(address))).toBe(false);
});

test.each([
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '192.167.0.1',
  '203.0.113.2',
  '223.255.255.255',
  '2a00:1450::1',
  '2001:db8::2',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1',
  '2002:0101:0101::1',
])('%s is allowed', (address) => {
  expect(policy.allows(bytesOf(address))).toBe(true);
});

test('a route opens a private network, in every form, but never the relay itself', () => {
  const address = bytesOf('192.168.7.0');
  const routed = new EgressPolicy([bytesOf('192.168.7.1')], [{ address, bits: 24 }]);
  expect(routed.allows(bytesOf('192.168.7.9'))).toBe(true);
  expect(routed.allows(bytesOf('::ffff:192.168.7.9'))).toBe(true);
  expect(routed.allows(bytesOf('192.168.7.1'))).toBe(false);
  expect(routed.allows(bytesOf('::ffff:192.168.7.1'))).toBe(false);
  expect(routed.allows(bytesOf('192.168.8.9'))).toBe(false);
});
