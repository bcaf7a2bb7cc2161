import { expect, test } from 'vitest';

import { type Spread, type SpreadLine, type SpreadName, spreads } from '../../src/packet/spread.ts';

const line = (id: number, more: Partial<SpreadLine> = {}): SpreadLine => ({
  id,
  open: true,
  unsentBytes: 0,
  rate: 1_000_000,
  delayMs: 20,
  ...more,
});
const none = { hash: 7, line: 0 };

/** The numbers of the lines that so many packets take, one after the other; 0: none. */
function taken(spread: Spread, lines: readonly SpreadLine[], packets = 1, flow = none, waiting = 100_000): number[] {
  return Array.from({ length: packets }, () => {
    return lines[spread.choose(lines, lines.length, flow, 1_400, waiting)]?.id ?? 0;
  });
}

test.each(Object.keys(spreads) as SpreadName[])(
  '%s takes no line that takes nothing, and is calm without lines',
  (name) => {
    expect(taken(spreads[name](), [])).toEqual([0]);
    expect(taken(spreads[name](), [line(1, { open: false })])).toEqual([0]);
  },
);

test('earliest: a far line helps once enough waits', () => {
  const lines = [line(1, { open: false }), line(2, { delayMs: 200 })];
  expect(taken(spreads.earliest(), lines, 1, none, 2_800)).toEqual([0]);
  expect(taken(spreads.earliest(), lines, 1, none, 500_000)).toEqual([2]);
});

test('lowest-delay: the open line that answers soonest', () => {
  const lines = [line(1, { open: false, delayMs: 5 }), line(2, { delayMs: 30 }), line(3, { delayMs: 10 })];
  expect(taken(spreads['lowest-delay'](), lines)).toEqual([3]);
  expect(spreads['lowest-delay']().everywhere).toBe(false);
  expect(spreads.everywhere().everywhere).toBe(true);
});

test('in-turn: each open line after the other', () => {
  const lines = [line(3), line(1), line(2, { open: false })];
  expect(taken(spreads['in-turn'](), lines, 5)).toEqual([1, 3, 1, 3, 1]);
});

test('per-flow: a flow keeps its line, also while that takes nothing; many flows share by rate', () => {
  const lines = [line(1, { rate: 3_000_000 }), line(2)];
  const spread = spreads['per-flow']();
  let first = 0;
  const flows = 4_000;
  for (let i = 0; i < flows; i++) {
    const flow = { hash: Math.imul(i, 0x0100_0193) >>> 0, line: 0 };
    const [id = 0] = taken(spread, lines, 1, flow);
    if (id === 1) first++;
    expect(taken(spread, lines.toReversed(), 1, { ...flow, line: id })).toEqual([id]);
    const closed = lines.map((one) => (one.id === id ? { ...one, open: false } : one));
    expect(taken(spread, closed, 1, { ...flow, line: id })).toEqual([0]);
    const gone = lines.filter((one) => one.id !== id);
    expect(taken(spread, gone, 1, { ...flow, line: id })).toEqual([3 - id]);
  }
  expect(first / flows).toBeGreaterThan(0.7);
  expect(first / flows).toBeLessThan(0.8);
});

test('first-only: the first line that gets packets through, and no other while it is there', () => {
  const spread = spreads['first-only']();
  expect(taken(spread, [line(2), line(1)])).toEqual([1]);
  expect(taken(spread, [line(2), line(1, { open: false })])).toEqual([0]);
  expect(taken(spread, [line(2), line(3)])).toEqual([2]);
});
