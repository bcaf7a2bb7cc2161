import { limits, ResetReason, type Stream } from '@tresse/core';
import { closeFd } from '@tresse/sys';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { egressConnect } from '../src/worker/egress.ts';
import { addressBytes, socketAddressOf, targetOf } from '../src/worker/target.ts';
import { listening, socketCount } from './peer.ts';

const stream = (address: string | Uint8Array, port = 80): Stream =>
  ({ target: { address: typeof address === 'string' ? addressBytes(address) : address, port } }) as unknown as Stream;

describe('where a stream may lead', () => {
  const connect = egressConnect({ listen: [], allowPrivate: ['192.168.5.0/24'], ownAddresses: ['203.0.113.1'] });

  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.4.255',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '0.0.0.0',
    '203.0.113.1',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:203.0.113.1',
    '64:ff9b::10.0.0.1',
  ])('not to %s', (address) => {
    const before = socketCount();
    expect(connect(stream(address))).toEqual({ refused: ResetReason.forbidden });
    expect(socketCount()).toBe(before);
  });

  test('to a network that is allowed, and to a listener there', () => {
    const listener = listening();
    const local = egressConnect({ listen: [], allowPrivate: ['127.0.0.1'] });
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1']) {
      const outcome = local(stream(address, listener.port));
      expect(outcome).toHaveProperty('fd');
      if ('fd' in outcome) closeFd(outcome.fd);
    }
    closeFd(listener.fd);
  });

  test('whatever a peer writes as an address, the answer is a connection or a reason', () => {
    const before = socketCount();
    const open = egressConnect({ listen: [], allowPrivate: ['127.0.0.0/8'] });
    // None of these leaves the machine.
    const special = fc.constantFrom('::1', '::ffff:0.0.0.0', 'fe80::1', '2002:7f00:1::', '240.0.0.1', '::2');
    const address = fc.oneof(
      special.map(addressBytes),
      fc.uint8Array({ minLength: 3, maxLength: 3 }).map((a) => Uint8Array.of(127, ...a)),
      fc.uint8Array({ minLength: 14, maxLength: 14 }).map((a) => Uint8Array.of(0xfe, 0x80, ...a)),
    );
    fc.assert(
      fc.property(address, fc.integer({ min: 1, max: 65_535 }), (bytes, port) => {
        const outcome = open(stream(bytes, port));
        if ('fd' in outcome) closeFd(outcome.fd);
        else expect(outcome.refused).toBeGreaterThan(ResetReason.none);
      }),
      { numRuns: 300 },
    );
    expect(socketCount()).toBe(before);
  });

  test.each(['10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/-1', '::/129'])('%s is no network', (text) => {
    expect(() => egressConnect({ listen: [], allowPrivate: [text] })).toThrow(/ADDRESS\/BITS/u);
  });

  test('nor is a name an address', () => {
    expect(() => egressConnect({ listen: [], allowPrivate: ['example.org/8'] })).toThrow(/not an IP address/u);
  });
});

describe('addresses as bytes and as text', () => {
  const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const port = fc.integer({ min: 0, max: 65_535 });

  test('there and back', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), port, (address, number) => {
        const text = socketAddressOf({ address, port: number });
        const back = targetOf(text);
        expect(back.port).toBe(number);
        // A mapped address comes back as the IPv4 address it is.
        const mapped = address.length === 16 && back.address.length === 4;
        expect([...back.address]).toEqual([...(mapped ? address.subarray(12) : address)]);
      }),
    );
  });

  test('a target keeps its bytes while others are converted', () => {
    const one = targetOf({ address: '198.51.100.7', port: 1 });
    targetOf({ address: '203.0.113.9', port: 2 });
    expect([...one.address]).toEqual([198, 51, 100, 7]);
  });

  test('what the LAN dials fits an OPEN', () => {
    expect(targetOf({ address: '198.51.100.7', port: 443 }).address).toHaveLength(4);
    expect(limits.recordTextMax).toBeGreaterThan(64);
  });
});
