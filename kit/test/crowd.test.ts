import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Crowd, sourceOf } from '../src/index.ts';

test('one source displaces only its own guests, the oldest first', () => {
  const crowd = new Crowd<string>(4);
  crowd.add('box', '198.51.100.7');
  const displaced = Array.from({ length: 8 }, (_, i) => crowd.add(`flood ${i}`, '203.0.113.9'));
  expect(displaced).toEqual([undefined, undefined, undefined, 'flood 0', 'flood 1', 'flood 2', 'flood 3', 'flood 4']);
  expect([...crowd.guests()]).toEqual(['box', 'flood 5', 'flood 6', 'flood 7']);
});

const spared = (guest: string): boolean => guest.startsWith('proved');

test('those who have proved something go last', () => {
  const crowd = new Crowd<string>(3);
  for (const guest of ['proved 1', 'proved 2', 'other']) crowd.add(guest, 'one', spared);
  expect(crowd.add('next', 'two', spared)).toBe('other');
  expect(crowd.add('proved 3', 'one', spared)).toBe('next');
  expect(crowd.add('last', 'one', spared)).toBe('proved 1');
});

test('never more than there are places, nobody lost, nobody twice', () => {
  const steps = fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.nat(40)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (all) => {
      const crowd = new Crowd<number>(7);
      const inside = new Set<number>();
      let next = 0;
      for (const [source, leaves, which] of all) {
        if (leaves) expect(crowd.remove(which)).toBe(inside.delete(which));
        else {
          const guest = next++;
          const gone = crowd.add(guest, String(source));
          expect(gone !== undefined).toBe(inside.size === 7);
          if (gone !== undefined) expect(inside.delete(gone)).toBe(true);
          inside.add(guest);
        }
        expect([...crowd.guests()].toSorted((a, b) => a - b)).toEqual([...inside].toSorted((a, b) => a - b));
        expect(crowd.size).toBe(inside.size);
      }
    }),
  );
});

test.each([
  ['198.51.100.7', '198.51.100.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:1:2::', '2001:db8:1:2'],
  ['::1', ':0:0:0'],
  ['fe80::1%3', 'fe80:0:0:0'],
])('%s comes from %s', (address, source) => {
  expect(sourceOf(address)).toBe(source);
});
