import { makeLog } from '@tresse/daemon';
import type { ResolvedUplink } from '@tresse/plan';
import { expect, test } from 'vitest';

import { DirectFlows } from '../src/direct-flows.ts';
import { uplinks } from './fakes.ts';

const marks = { a: 0x60_0000, b: 0x61_0000 };
const well = (): boolean => false;
const silent = (name: string): boolean => name === 'b';
const fallen = (lines: readonly ResolvedUplink[]): ResolvedUplink[] =>
  lines.map((one) => (one.name === 'a' ? Object.assign({}, one, { carrier: false, fault: 'no carrier' }) : one));

function flows(): { look: DirectFlows['look']; forgotten: number[] } {
  const forgotten: number[] = [];
  const kept = new DirectFlows(
    makeLog('error', () => {}),
    (mark, mask, family) => {
      expect(mask).toBe(0xff_0000);
      forgotten.push(mark + (family ?? 0));
    },
  );
  return { look: (...given) => kept.look(...given), forgotten };
}

const lines = uplinks({ a: '10.0.1.2', b: '10.0.2.2' });

test('a carrier that is back in a moment costs nothing, one that stays away its own flows, once', () => {
  const { look, forgotten } = flows();
  look(lines, well, 0);
  look(fallen(lines), well, 100);
  look(fallen(lines), well, 900);
  look(lines, well, 1_000);
  expect(forgotten).toEqual([]);
  look(fallen(lines), well, 2_000);
  look(fallen(lines), well, 3_000);
  look(fallen(lines), well, 4_000);
  expect(forgotten).toEqual([marks.a]);
  look(lines, well, 5_000);
  expect(forgotten).toEqual([marks.a]);
});

test('another address, or none, at once', () => {
  const { look, forgotten } = flows();
  look(lines, well, 0);
  look(uplinks({ a: '10.0.1.2', b: '10.0.2.7' }), well, 10);
  expect(forgotten).toEqual([marks.b + 4]);
  look(uplinks({ a: undefined, b: '10.0.2.7' }), well, 20);
  expect(forgotten).toEqual([marks.b + 4, marks.a, marks.a + 4]);
});

test('one family that comes and goes leaves the other alone', () => {
  const { look, forgotten } = flows();
  const six = { family: 6, address: '2001:db8::2', network: '2001:db8::/64', routed: true } as const;
  const both = uplinks({ a: '10.0.1.2' }).map((one) => Object.assign(one, { addresses: [...one.addresses, six] }));
  look(uplinks({ a: '10.0.1.2' }), well, 0);
  look(both, well, 10);
  expect(forgotten).toEqual([]);
  look(uplinks({ a: '10.0.1.2' }), well, 20);
  expect(forgotten).toEqual([marks.a + 6]);
});

test('silence while others are heard, after two seconds', () => {
  const { look, forgotten } = flows();
  look(lines, well, 0);
  look(lines, silent, 1_000);
  look(lines, silent, 2_900);
  expect(forgotten).toEqual([]);
  look(lines, silent, 3_000);
  look(lines, silent, 4_000);
  expect(forgotten).toEqual([marks.b]);
});
