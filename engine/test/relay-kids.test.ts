import { bestAead } from '@tresse/sys';
import { expect, test } from 'vitest';

import { RelayKids } from '../src/worker/relay-kids.ts';

const aead = bestAead('aes-256-gcm');
const hour = 3_600_000;

function kidsOf(...names: string[]): { kids: RelayKids<string>; secrets: Uint8Array[] } {
  const kids = new RelayKids<string>();
  const secrets = names.map((name, i) => {
    const secret = new Uint8Array(32).fill(7);
    kids.install(name, secret, aead, 'session', i);
    return secret;
  });
  return { kids, secrets };
}

const there = (kids: RelayKids<string>, ...names: string[]): string[] => names.filter((name) => kids.get(name));

test('a session has three keys at most, and the oldest is erased', () => {
  const { kids, secrets } = kidsOf('a', 'b', 'c', 'd');
  expect(there(kids, 'a', 'b', 'c', 'd')).toEqual(['b', 'c', 'd']);
  expect(secrets.map((secret) => secret[0])).toEqual([0, 7, 7, 7]);
  kids.install('x', new Uint8Array(32), aead, 'another', 0);
  expect(kids.size).toBe(4);
});

test('an old key dies half a minute after the first strand under a newer one', () => {
  const { kids, secrets } = kidsOf('a', 'b');
  kids.sweep(hour);
  kids.used('a', hour);
  kids.sweep(hour + 60_000);
  expect(there(kids, 'a', 'b')).toEqual(['a', 'b']);
  kids.used('b', hour + 60_000);
  kids.used('b', hour + 80_000);
  kids.sweep(hour + 89_999);
  expect(there(kids, 'a', 'b')).toEqual(['a', 'b']);
  kids.sweep(hour + 90_000);
  expect(there(kids, 'a', 'b')).toEqual(['b']);
  expect(secrets.map((secret) => secret[0])).toEqual([0, 7]);
});

test('no key lives longer than two hours', () => {
  const { kids } = kidsOf('a');
  kids.sweep(2 * hour - 1);
  expect(kids.size).toBe(1);
  kids.sweep(2 * hour);
  expect(kids.size).toBe(0);
});

test('a session that ends takes its keys along, and no others', () => {
  const { kids, secrets } = kidsOf('a', 'b');
  kids.install('x', new Uint8Array(32), aead, 'another', 0);
  kids.forget('session');
  expect(there(kids, 'a', 'b', 'x')).toEqual(['x']);
  expect(secrets.map((secret) => secret.some((byte) => byte !== 0))).toEqual([false, false]);
  kids.forget('session');
});
