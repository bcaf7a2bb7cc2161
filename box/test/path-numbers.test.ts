import type { ResolvedUplink } from '@tresse/plan';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { PathNumbers } from '../src/path-numbers.ts';
import { config, uplinks } from './fakes.ts';

const box = config(['a', 'b']);

test('a path for every line and relay address, each with a number', () => {
  const two = config(['a', 'b'], ['203.0.113.1', '203.0.113.2']);
  const paths = new PathNumbers().assign(two, uplinks({ a: '10.0.1.2', b: '10.0.2.2' }));
  expect(paths?.map((one) => [one.path, one.uplink, one.relayAddress])).toEqual([
    [1, 'a', '203.0.113.1'],
    [2, 'a', '203.0.113.2'],
    [3, 'b', '203.0.113.1'],
    [4, 'b', '203.0.113.2'],
  ]);
});

test('before the numbers are used up they are scarce, until a new session', () => {
  const numbers = new PathNumbers();
  for (let i = 1; i <= 255; i++) {
    expect(numbers.scarce).toBe(i > 192);
    expect(numbers.assign(box, uplinks({ a: `10.0.1.${i}` }))?.[0]?.path).toBe(i);
  }
  expect(numbers.assign(box, uplinks({ a: '10.0.2.1' }))).toBeUndefined();
  numbers.restart();
  expect(numbers.scarce).toBe(false);
  expect(numbers.assign(box, uplinks({ a: '10.0.2.1' }))?.[0]?.path).toBe(1);
});

test('a path knows what its line is like', () => {
  const lines = uplinks({ a: '10.0.1.2', b: '10.0.2.2' });
  const costly = lines.map((one, i) => Object.assign(one, i > 0 && { metered: true, rateLimit: { upBps: 5e6 } }));
  expect(new PathNumbers().assign(box, costly)).toMatchObject([
    { uplink: 'a', metered: false },
    { uplink: 'b', metered: true, rateLimit: { upBps: 5e6 } },
  ]);
});

test('a fallen carrier keeps the number, a new address or an absence does not', () => {
  const numbers = new PathNumbers();
  const of = (...given: Parameters<typeof uplinks>): (number | undefined)[] | undefined =>
    numbers.assign(box, uplinks(...given))?.map((one) => one.path);
  expect(of({ a: '10.0.1.2', b: '10.0.2.2' })).toEqual([1, 2]);
  const fallen = uplinks({ a: '10.0.1.2', b: '10.0.2.2' }).map((one) =>
    Object.assign({}, one, { carrier: false, fault: 'no carrier' }),
  );
  expect(numbers.assign(box, fallen)?.map((one) => one.path)).toEqual([1, 2]);
  expect(of({ a: '10.0.9.2', b: '10.0.2.2' })).toEqual([3, 2]);
  expect(of({ a: undefined, b: '10.0.2.2' })).toEqual([2]);
  expect(of({ a: '10.0.9.2', b: '10.0.2.2' })).toEqual([4, 2]);
  numbers.restart();
  expect(of({ a: '10.0.9.2', b: '10.0.2.2' })).toEqual([1, 2]);
});

/** A line of both families, its IPv4 gateway perhaps not known. */
function line(gateway: string | undefined, six = true): ResolvedUplink[] {
  const four = { family: 4, address: '10.0.1.2', network: '10.0.1.0/24', routed: true } as const;
  const other = { family: 6, address: '2001:db8:1::2', network: '2001:db8:1::/64', routed: true } as const;
  const own = gateway === undefined ? four : { ...four, gateway };
  return uplinks({ a: '10.0.1.2' }).map((one) => Object.assign(one, { addresses: six ? [own, other] : [own] }));
}

test('a path is of one family; another gateway is another path, an unknown one is none', () => {
  const numbers = new PathNumbers();
  const two = config(['a'], ['203.0.113.1', '2001:db8:aa::1']);
  const of = (...given: Parameters<typeof line>): [number, string][] | undefined =>
    numbers.assign(two, line(...given))?.map((one) => [one.path, one.localAddress]);
  expect(of('10.0.1.1')).toEqual([
    [1, '10.0.1.2'],
    [2, '2001:db8:1::2'],
  ]);
  expect(of(undefined, false)).toEqual([[1, '10.0.1.2']]);
  expect(of('10.0.1.1', false)).toEqual([[1, '10.0.1.2']]);
  expect(of('10.0.1.9', false)).toEqual([[3, '10.0.1.2']]);
});

test('whatever comes and goes, a number means one line and address for the whole session, and is at most 255', () => {
  const address = fc.option(fc.constantFrom('10.0.1.2', '10.0.2.2', '10.0.3.2'), { nil: undefined });
  fc.assert(
    fc.property(fc.array(fc.tuple(address, address), { maxLength: 300 }), (steps) => {
      const numbers = new PathNumbers();
      const meaning = new Map<number, string>();
      let present = new Set<number>();
      for (const [a, b] of steps) {
        const paths = numbers.assign(box, uplinks({ a, b }));
        if (!paths) return;
        for (const { path, uplink, localAddress } of paths) {
          expect(path).toBeLessThanOrEqual(255);
          const known = meaning.get(path);
          if (known !== undefined) expect(present.has(path)).toBe(true);
          expect(known ?? `${uplink} ${localAddress}`).toBe(`${uplink} ${localAddress}`);
          meaning.set(path, `${uplink} ${localAddress}`);
        }
        present = new Set(paths.map((one) => one.path));
      }
    }),
  );
});
