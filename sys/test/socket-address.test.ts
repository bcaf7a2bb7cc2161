import { isIPv6 } from 'node:net';

import { BugError, UserError } from '@tresse/kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeSocketAddress, encodeSocketAddress } from '../src/socket-address.ts';

const there = (address: string, port: number) => {
  const bytes = new Uint8Array(128);
  const length = encodeSocketAddress(bytes, address, port);
  return { bytes: bytes.subarray(0, length), back: decodeSocketAddress(bytes) };
};

describe('socket address', () => {
  test('IPv4 bytes', () => {
    expect([...there('203.0.113.1', 7443).bytes]).toEqual([2, 0, 0x1d, 0x13, 203, 0, 113, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('IPv6 bytes', () => {
    const { bytes } = there('2001:db8::1:0:2', 1);
    expect(Buffer.from(bytes).toString('hex')).toBe('0a0000010000000020010db800000000000000010000000200000000');
  });

  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:10.0.1.2', '10.0.1.2'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%3', 'fe80::1%3'],
  ])('%s comes back as %s', (address, back) => {
    expect(there(address, 9).back).toEqual({ address: back, port: 9 });
  });

  test('a shorter address leaves nothing of a longer one before it', () => {
    const bytes = new Uint8Array(128).fill(0xff);
    encodeSocketAddress(bytes, '10.0.0.1', 1);
    expect([...bytes.subarray(8, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test.each(['', 'localhost', '10.0.0', '10.0.0.256', 'fe80::1%wan1', ':::', '1.2.3.4%1'])(
    'refuses "%s"',
    (address) => {
      expect(() => there(address, 1)).toThrow(UserError);
    },
  );

  test.each([-1, 65_536, 1.5, Number.NaN])('refuses port %s', (port) => {
    expect(() => there('::1', port)).toThrow(BugError);
  });

  test('refuses to read another family', () => {
    expect(() => decodeSocketAddress(Uint8Array.from([1, 0, ...Array.from({ length: 126 }, () => 0)]))).toThrow(
      BugError,
    );
  });

  test('any IPv4 address and port come back', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(65_535), (address, port) => {
        expect(there(address, port).back).toEqual({ address, port });
      }),
    );
  });

  test('any IPv6 address comes back meaning the same, in a form that is stable', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.nat(65_535), (address, port) => {
        const { bytes, back } = there(address, port);
        const again = there(back.address, port);
        expect(again.back).toEqual(back);
        if (isIPv6(back.address)) {
          expect([...again.bytes]).toEqual([...bytes]);
          expect(new URL(`http://[${address}]/`).hostname).toBe(`[${back.address}]`);
        }
      }),
    );
  });
});
