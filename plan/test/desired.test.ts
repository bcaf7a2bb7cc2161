import { expect, test } from 'vitest';

import { behindOf, readGateways, readInterfaces, readTable, renderState, resolveUplinks } from '../src/index.ts';
import { bonded, config, desire, machine } from './world.ts';

const household = machine({
  lan0: ['192.168.77.1/24', undefined],
  wan1: ['10.0.1.2/24', '10.0.1.1'],
  wan2: ['10.0.2.2/24', undefined],
  wan3: ['10.0.3.2/24', '10.0.3.1'],
});

const sysctls = {
  'net.ipv4.conf.lan0.forwarding': '0',
  'net.ipv4.conf.wan1.forwarding': '1',
  'net.ipv4.conf.wan2.forwarding': '0',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.wan1.rp_filter': '1',
  'net.ipv4.conf.wan2.rp_filter': '0',
  'net.ipv6.conf.all.forwarding': '0',
};

test('a household with three lines', async () => {
  const box = config([
    { name: 'dsl', interface: 'wan1', kind: 'adsl' },
    { name: 'vdsl', interface: 'wan2', kind: 'vdsl', gateway: '10.0.2.1' },
    { name: 'fibre', interface: 'wan3', kind: 'fibre', metered: true },
  ]);
  await expect(renderState(desire(box, household, sysctls))).toMatchFileSnapshot('golden/household.txt');
});

test('one card, two modems in one subnet, a PPP line and a host address, while IPv6 is forwarded', async () => {
  const facts = machine({
    eth0: ['192.168.1.252/24 192.168.1.253/24', '192.168.1.254'],
    ppp0: ['198.51.100.7/32', undefined],
    usb0: ['100.64.3.9/32', '100.64.0.1'],
  });
  const box = config([
    { name: 'left', interface: 'eth0', address: '192.168.1.252', gateway: '192.168.1.240' },
    { name: 'right', interface: 'eth0', address: '192.168.1.253' },
    { name: 'dial', interface: 'ppp0' },
    { name: 'stick', interface: 'usb0', kind: '4g' },
  ]);
  const state = desire(box, facts, { ...sysctls, 'net.ipv6.conf.all.forwarding': '1' });
  await expect(renderState(state)).toMatchFileSnapshot('golden/one-card.txt');
});

test('lines that cannot carry: none, no address, switched off in the file, switched off on the machine', async () => {
  const facts = machine({
    wan1: ['', undefined],
    wan2: ['10.0.2.2/24', '10.0.2.1'],
    wan3: ['10.0.3.2/24', '10.0.3.1'],
  });
  const box = config([
    { name: 'gone', interface: 'wan9' },
    { name: 'bare', interface: 'wan1' },
    { name: 'off', interface: 'wan2', enabled: false },
    { name: 'down', interface: 'wan3' },
  ]);
  const interfaces = facts.interfaces.map((one) => (one.name === 'wan3' ? { ...one, up: false, carrier: false } : one));
  expect(resolveUplinks(box, { ...facts, interfaces }).map((uplink) => uplink.fault)).toEqual([
    'there is no interface wan9',
    'interface wan1 has no address yet',
    'switched off in box.yaml',
    'interface wan3 is switched off (ip link set wan3 up)',
  ]);
  await expect(renderState(desire(box, { ...facts, interfaces }, sysctls))).toMatchFileSnapshot(
    'golden/nothing-carries.txt',
  );
});

const both = machine({
  lan0: ['192.168.77.1/24 2001:db8:77::1/64', undefined],
  wan1: ['10.0.1.2/24 2001:db8:1::2/64', '10.0.1.1 fe80::1'],
  wan2: ['2001:db8:2::7/128', '2001:db8:2::1'],
  ppp0: ['198.51.100.7/32 2001:db8:3::9/64', undefined],
});
const bothBox = config(
  [
    { name: 'dsl', interface: 'wan1' },
    { name: 'six', interface: 'wan2' },
    { name: 'dial', interface: 'ppp0', kind: 'adsl' },
  ],
  ['203.0.113.1', '2001:db8:aa::1'],
);
const bothSysctls = { ...sysctls, 'net.ipv4.conf.ppp0.forwarding': '0' };

test('lines of both families, an IPv6 line alone, and a relay with IPv6', async () => {
  await expect(renderState(desire(bothBox, both, bothSysctls, {}, bonded))).toMatchFileSnapshot(
    'golden/both-families.txt',
  );
});

test('without the relay, on a machine that forwards IPv6: both families leave directly', async () => {
  const state = desire(
    bothBox,
    both,
    { ...bothSysctls, 'net.ipv6.conf.all.forwarding': '1' },
    {},
    { 4: 'direct', 6: 'direct' },
  );
  await expect(renderState(state)).toMatchFileSnapshot('golden/without-relay-direct.txt');
});

test('without the relay, refused', async () => {
  const state = desire(bothBox, both, bothSysctls, {}, { 4: 'refuse', 6: 'refuse' });
  await expect(renderState(state)).toMatchFileSnapshot('golden/without-relay-refuse.txt');
});

test('a kernel without IPv6 is asked for none', async () => {
  const { 'net.ipv6.conf.all.forwarding': _, ...four } = bothSysctls;
  const text = renderState(desire(bothBox, both, four, {}, bonded));
  expect(text).not.toMatch(/ipv6|ip6|-6/u);
});

test('two cards in one subnet answer for their own addresses; LAN and line on one card send no redirects', () => {
  const near = Object.fromEntries(
    ['wan1', 'wan2'].flatMap((name) => ['arp_ignore', 'arp_announce'].map((s) => [`net.ipv4.conf.${name}.${s}`, '0'])),
  );
  const redirects = { 'net.ipv4.conf.all.send_redirects': '1', 'net.ipv4.conf.lan0.send_redirects': '1' };
  const facts = machine({
    wan1: ['10.0.1.2/24', '10.0.1.1'],
    wan2: ['10.0.1.3/24', '10.0.1.1'],
    lan0: ['10.0.1.4/24', '10.0.1.1'],
  });
  const cards = config([
    { name: 'a', interface: 'wan1' },
    { name: 'b', interface: 'wan2' },
  ]);
  expect(desire(cards, facts, { ...near, ...redirects }).sysctls).toEqual({
    'net.ipv4.conf.wan1.arp_ignore': '1',
    'net.ipv4.conf.wan1.arp_announce': '2',
    'net.ipv4.conf.wan2.arp_ignore': '1',
    'net.ipv4.conf.wan2.arp_announce': '2',
  });
  const arm = config([{ name: 'a', interface: 'lan0', address: '10.0.1.4' }]);
  expect(desire(arm, facts, { ...near, ...redirects }).sysctls).toEqual({
    'net.ipv4.conf.all.send_redirects': '0',
    'net.ipv4.conf.lan0.send_redirects': '0',
  });
});

const address = (text: string, more: object): object => ({ local: text, prefixlen: 64, scope: 'global', ...more });

test('of several IPv6 addresses the lasting one of the internet is taken, and the same one always', () => {
  const box = config([{ name: 'dsl', interface: 'wan1' }]);
  const facts = readInterfaces([
    {
      ifname: 'wan1',
      flags: ['UP', 'LOWER_UP'],
      mtu: 1492,
      addr_info: [
        address('2001:db8::a', { temporary: true }),
        address('fd00::1', {}),
        address('2001:db8::c', { tentative: true }),
        address('2001:db8::d', { deprecated: true }),
        address('2001:db8::f', {}),
        address('2001:db8::e', {}),
        address('fe80::1', { scope: 'link' }),
      ],
    },
  ]);
  const gateways = readGateways([{ dst: 'default', nexthops: [{ gateway: 'fe80::9', dev: 'wan1', weight: 1 }] }], 6);
  expect(resolveUplinks(box, { interfaces: facts, gateways })[0]).toMatchObject({
    addresses: [{ family: 6, address: '2001:db8::e', network: '2001:db8::/64', gateway: 'fe80::9', routed: true }],
    mtu: 1492,
  });
});

test('a line whose address is named has no other', () => {
  const box = config([{ name: 'dsl', interface: 'wan1', address: '2001:db8:1::2' }]);
  expect(resolveUplinks(box, both)[0]?.addresses.map((one) => one.address)).toEqual(['2001:db8:1::2']);
});

test('a line without a known gateway says what to write', () => {
  const box = config([{ name: 'vdsl', interface: 'wan2' }]);
  expect(resolveUplinks(box, household)[0]?.fault).toBe(
    'no default route by wan2 is known: give this uplink its "gateway" in box.yaml',
  );
});

test('golden: packets go to the relay by the tunnel', async () => {
  const tunnel = { 4: 'tunnel', 6: 'tunnel' } as const;
  const state = desire(bothBox, both, bothSysctls, {}, bonded, tunnel);
  await expect(renderState(state)).toMatchFileSnapshot('golden/tunnel.txt');
});

const ports = [
  { family: 4, port: 5060, host: { address: '192.168.77.9', port: 5060 }, hidden: true },
  { family: 6, port: 5060, host: { address: '2001:db8:77::9', port: 5070 } },
] as const;

test('golden: ports of the relay lead to hosts of the LAN', async () => {
  const tunnel = { 4: 'tunnel', 6: 'tunnel' } as const;
  const state = desire(bothBox, both, bothSysctls, {}, bonded, tunnel, ports);
  await expect(renderState(state)).toMatchFileSnapshot('golden/published.txt');
  const comments = [...(state.ruleset?.text ?? '').matchAll(/comment "(?<said>[^"]+)"/gu)].map((one) => ({
    rule: { comment: one.groups?.['said'] },
  }));
  expect(readTable([{ table: {} }, ...comments])?.published).toEqual(ports);
});

test('a family that does not go by the tunnel has no published ports', () => {
  const packets = { 4: 'tunnel', 6: 'refuse' } as const;
  const text = renderState(desire(bothBox, both, bothSysctls, {}, bonded, packets, ports));
  expect(text).toContain('dnat ip to 192.168.77.9:5060');
  expect(text).not.toContain('dnat ip6');
  const direct = { 4: 'direct', 6: 'direct' } as const;
  expect(renderState(desire(bothBox, both, bothSysctls, {}, bonded, direct, ports))).not.toContain('dnat');
});

const routed = { networks: ['10.20.0.0/16', 'fd20::/48'], reachable: ['192.168.77.0/24'] };

test('golden: routes between the LAN and networks behind the relay', async () => {
  const tunnel = { 4: 'tunnel', 6: 'tunnel' } as const;
  const state = desire(bothBox, both, bothSysctls, {}, bonded, tunnel, [], routed);
  await expect(renderState(state)).toMatchFileSnapshot('golden/routes.txt');
  const elem = [{ prefix: { addr: '10.20.0.0', len: 16 } }];
  const known = readTable([
    { table: {} },
    { set: { name: 'behind4', elem } },
    { set: { name: 'behind6', elem: [{ prefix: { addr: 'fd20::', len: 48 } }] } },
    { set: { name: 'reachable4', elem: ['192.168.77.9'] } },
  ]);
  expect(known?.behind).toEqual({ networks: routed.networks, reachable: ['192.168.77.9/32'] });
});

const routedText = (treatments: typeof bonded, packets: 'tunnel' | 'direct' | 'refuse'): string =>
  renderState(desire(bothBox, both, bothSysctls, {}, treatments, { 4: packets, 6: packets }, [], routed));

test('what is for a network behind the relay goes through it or nowhere', () => {
  const gone = routedText({ 4: 'direct', 6: 'direct' }, 'direct');
  expect(gone).toContain('ip daddr @behind4 meta nfproto ipv4 meta l4proto tcp counter reject with tcp reset');
  expect(gone).toContain('ip6 daddr @behind6 meta l4proto != tcp counter reject');
  expect(gone).not.toContain('@reachable4');
  // The relay has no way to the IPv6 internet, but one to this network.
  const without6 = routedText({ 4: 'bond', 6: 'refuse' }, 'tunnel');
  expect(without6).toContain('ip6 daddr @behind6 meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:7500');
});

test('of the networks a relay offers none is taken that the machine is in', () => {
  expect(behindOf(['fd20::/48', '10.20.0.0/16', '10.0.0.0/8', '192.168.77.128/25', '2001:db8:1::/48'], both)).toEqual([
    '10.20.0.0/16',
    'fd20::/48',
  ]);
});
