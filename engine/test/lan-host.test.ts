import { expect, test } from 'vitest';

import { hintsOf, hostNumber } from '../src/worker/lan-host.ts';

test('every host has a number that fits a byte and is not none', () => {
  const seen = new Set<number>();
  for (let i = 0; i < 65_536; i++) seen.add(hostNumber(`192.168.${i >>> 8}.${i & 255}`));
  expect(Math.min(...seen)).toBe(1);
  expect(Math.max(...seen)).toBe(255);
  expect(seen.size).toBe(255);
  expect(hostNumber('2001:db8::7')).toBe(hostNumber('2001:db8::7'));
});

test('of a connection that has gone nothing is known', () => {
  expect(hintsOf(-1, '198.51.100.10')).toEqual({});
});
