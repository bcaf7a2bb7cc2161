import fc from 'fast-check';
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
  '0.255.255.255',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.1',
  '192.0.0.192',
  '192.88.99.1',
  '198.18.0.1',
  '198.19.255.255',
  '239.255.255.255',
  '240.0.0.1',
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
  '::1.1.1.1',
  '::ffff:0:1.1.1.1',
  '100::1',
  '2001::1',
  '2001:0:101:101::fefe:fefe',
  '2001:2::1',
  '2001:10::1',
  '5f00::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fec0::1',
  '64:ff9b:1::1.1.1.1',
  '64:ff9b:1:fffe:0:7f:1::',
  '::ffff:169.254.169.254',
  '64:ff9b::100.100.100.200',
  '2002:a9fe:a9fe::',
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
  '168.63.129.15',
  '192.0.1.0',
  '192.0.2.1',
  '198.17.255.255',
  '198.20.0.0',
  '198.51.100.10',
  '2001:200::1',
  '2001:4860::1',
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

/** An IPv4 address in every way an IPv6 address can lead to it. */
const written = (a: Uint8Array): Uint8Array[] => {
  const hex = [...a].map((octet) => octet.toString(16).padStart(2, '0'));
  const dotted = a.join('.');
  return [
    a,
    bytesOf(`::ffff:${dotted}`),
    bytesOf(`64:ff9b::${dotted}`),
    bytesOf(`2002:${hex[0]}${hex[1]}:${hex[2]}${hex[3]}::1`),
  ];
};

const anyV4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Octets that begin what is special, more often than chance would have it. */
const strangeV4 = fc
  .tuple(
    fc.constantFrom(0, 10, 100, 127, 168, 169, 172, 192, 198, 203, 224, 255),
    fc.constantFrom(0, 16, 18, 63, 64, 88, 168, 254),
    fc.nat(255),
    fc.nat(255),
  )
  .map((octets) => Uint8Array.from(octets));

test('every form of an address is judged like the address', () => {
  fc.assert(
    fc.property(fc.oneof(anyV4, strangeV4), (address) => {
      const verdict = policy.allows(address);
      for (const form of written(address)) expect(policy.allows(form)).toBe(verdict);
    }),
  );
});

test('whatever is allowed, the relay’s own addresses are not, in any form', () => {
  fc.assert(
    fc.property(fc.oneof(anyV4, strangeV4), fc.nat(32), fc.nat(128), (address, bits4, bits6) => {
      const everywhere = [
        { address, bits: bits4 },
        { address: bytesOf('::'), bits: bits6 },
        { address: bytesOf('::'), bits: 0 },
        { address: bytesOf('0.0.0.0'), bits: 0 },
      ];
      const open = new EgressPolicy([address], everywhere);
      for (const form of written(address)) expect(open.allows(form)).toBe(false);
      expect(open.allows(bytesOf('::1'))).toBe(true);
    }),
  );
});

test('outside 2000::/3 nothing is public but what leads to a public IPv4 address', () => {
  const outside = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((a) => Uint8Array.from([(a[0]! & 0x1f) | (a[1]! & 1 ? 0xe0 : 0x40), ...a.subarray(1)]));
  fc.assert(fc.property(outside, (address) => !policy.allows(address)));
});
