import { expect, test } from 'vitest';

import { LabNames } from '../../src/network/addresses.ts';
import { wiringOf } from '../../src/network/wiring.ts';

const direction = (
  rateBps: number,
): { rateBps: number; delayMs: number; jitterMs: number; lossRatio: number; queueMs: number } => ({
  rateBps,
  delayMs: 1,
  jitterMs: 0,
  lossRatio: 0,
  queueMs: 100,
});
const names = new LabNames('t-');
const lines = [
  { name: 'adsl', kind: 'adsl', down: direction(8e6), up: direction(1e6) },
  { name: 'fibre', kind: 'fibre', down: direction(1e8), up: direction(1e7) },
];

test('a namespace per operator beside the five others, each wired to the core', () => {
  const wiring = wiringOf(names, lines, ' congctl bbr');
  expect(wiring.netns).toEqual(['t-lan', 't-box', 't-core', 't-relay', 't-inet', 't-op-adsl', 't-op-fibre']);
  expect(wiring.wires).toContain('link add core netns t-op-fibre type veth peer name op-fibre netns t-core');
  expect(wiring.nft.map((n) => n.netns)).toEqual(['t-op-adsl', 't-op-fibre']);
});

test('the box prefers the fastest line', () => {
  const box = wiringOf(names, lines, ' congctl bbr').hosts.find((host) => host.netns === 't-box')?.batch ?? [];
  expect(box).toContain('route add default via 10.0.2.1 dev fibre metric 100');
  expect(box).toContain('route add default via 10.0.1.1 dev adsl metric 101');
});

test('only its own namespaces belong to a lab', () => {
  for (const name of wiringOf(names, lines, ' congctl bbr').netns) expect(names.owns(name)).toBe(true);
  for (const name of ['lan', 'other-lan', 't-tenant', 't-', 'tt-lan']) expect(names.owns(name)).toBe(false);
  expect(() => new LabNames('../')).toThrow(/cannot begin/u);
});
