import { type DirectionSpec, plainDirection } from '@tresse/sim';
import { expect, test } from 'vitest';

import { LabNames } from '../../src/network/addresses.ts';
import { wiringOf } from '../../src/network/wiring.ts';

const direction = (rateBps: number): DirectionSpec => ({ ...plainDirection, rateBps, delayMs: 1 });
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

test('two lines on one interface of the box share its subnet, behind a switch', () => {
  const pair = [lines[0]!, { ...lines[1]!, nic: 'adsl' }];
  const wiring = wiringOf(names, pair, '');
  expect(wiring.boxEnds).toEqual([
    { netns: 't-sw-adsl', ifname: 'adsl' },
    { netns: 't-sw-adsl', ifname: 'fibre' },
  ]);
  const box = wiring.hosts.find((host) => host.netns === 't-box')?.batch ?? [];
  expect(box).toEqual(
    expect.arrayContaining([
      'address add 10.0.1.2/24 dev adsl',
      'address add 10.0.1.12/24 dev adsl',
      'route add default via 10.0.1.11 dev adsl metric 100',
      'route add default via 10.0.1.1 dev adsl metric 101',
    ]),
  );
  expect(box.join('\n')).not.toContain('dev fibre');
  for (const name of wiring.netns) expect(names.owns(name)).toBe(true);
});

test('a line with IPv6 brings IPv6 to everybody', () => {
  const without = wiringOf(names, lines, '').hosts.flatMap((host) => host.batch);
  expect(without.join('\n')).not.toContain('2001:db8');
  const wiring = wiringOf(names, [{ ...lines[0]!, ipv6: true }, lines[1]!], '');
  const batch = (netns: string): string[] => wiring.hosts.find((host) => host.netns === netns)?.batch ?? [];
  expect(batch('t-box')).toContain('route add default via 2001:db8:1:1::1 dev adsl metric 101');
  expect(batch('t-core')).toContain('route add 2001:db8:1:1::/64 via 2001:db8:64:1::2');
  expect(batch('t-relay')).toContain('address add 2001:db8:a::1/64 dev eth0 nodad');
  expect(batch('t-op-fibre').join('\n')).not.toContain('2001:db8');
});

test('an operator with a proxy takes TCP itself; a forgetful one drops what it does not know', () => {
  const odd = [
    { ...lines[0]!, proxy: true as const },
    { ...lines[1]!, nat: { timeoutMs: 10_000 } },
  ];
  const [first, second] = wiringOf(names, odd, '').nft.map((n) => n.text);
  expect(first).toContain('iifname "access" meta l4proto tcp tproxy to :9040');
  expect(first).not.toContain('ct state');
  expect(second).toContain('ct state invalid drop');
  expect(second).not.toContain('tproxy');
});

test('the far host is the same host by other addresses, and answers by the way it was asked', () => {
  const near = wiringOf(names, lines, '').hosts.flatMap((host) => host.batch);
  expect(near.join('\n')).not.toContain('192.0.2.');
  const wiring = wiringOf(names, lines, ' congctl bbr', true);
  const batch = (netns: string): string[] => wiring.hosts.find((host) => host.netns === netns)?.batch ?? [];
  expect(batch('t-core')).toEqual(expect.arrayContaining(['address add 192.0.2.1/24 dev far', 'link set far up']));
  expect(batch('t-inet')).toEqual(
    expect.arrayContaining([
      'address add 192.0.2.11/24 dev far0',
      'address add 192.0.2.16/24 dev far0',
      'rule add from 192.0.2.16 lookup 100',
      'route add default via 192.0.2.1 dev far0 table 100 congctl bbr',
    ]),
  );
});
