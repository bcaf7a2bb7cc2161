import { expect, test } from 'vitest';

import type { BoxPath } from '../src/api.ts';
import { AddressRace } from '../src/worker/address-race.ts';

const path = (id: number, uplink: string): BoxPath => ({
  path: id,
  uplink,
  interface: 'wan1',
  localAddress: '10.0.1.2',
  relayAddress: `203.0.113.${id}`,
  relayPort: 7443,
  enabled: true,
  metered: false,
});
const wanted = (race: AddressRace): number[] => [1, 2, 3, 4].filter((id) => race.wants(id));
const nobody = (): boolean => false;

test('one address a line at first, the next beside it after a moment, the first that answers alone', () => {
  const race = new AddressRace();
  race.setPaths([path(1, 'a'), path(2, 'a'), path(3, 'a'), path(4, 'b')], 0);
  expect(wanted(race)).toEqual([1, 4]);
  expect(race.update(nobody, 100)).toEqual([]);
  expect(race.update(nobody, 200)).toEqual([1, 2, 3]);
  expect(wanted(race)).toEqual([1, 2, 4]);
  race.update(nobody, 400);
  expect(wanted(race)).toEqual([1, 2, 3, 4]);
  race.update((id) => id === 2, 500);
  expect(wanted(race)).toEqual([2, 4]);
  expect(race.update((id) => id === 2, 10_000)).toEqual([]);
});

test('when the one that carries falls silent the others are tried, and it stays in front until one answers', () => {
  const race = new AddressRace();
  race.setPaths([path(1, 'a'), path(2, 'a')], 0);
  race.update((id) => id === 2, 200);
  expect(wanted(race).slice(0, 1)).toEqual([2]);
  race.update(nobody, 5_000);
  expect(race.wants(1)).toBe(false);
  race.update(nobody, 5_200);
  expect(race.wants(1) && race.wants(2)).toBe(true);
  race.update((id) => id === 1, 5_300);
  expect(race.wants(2)).toBe(false);
});

test('told the same paths again nothing begins anew; a new address does not displace what works', () => {
  const race = new AddressRace();
  race.setPaths([path(1, 'a'), path(2, 'a')], 0);
  race.update((id) => id === 2, 200);
  race.setPaths([path(1, 'a'), path(2, 'a')], 300);
  expect(race.wants(2)).toBe(true);
  expect(race.wants(1)).toBe(false);
  race.setPaths([path(3, 'a'), path(2, 'a')], 400);
  expect(race.wants(2)).toBe(true);
  expect(race.wants(3)).toBe(false);
});
