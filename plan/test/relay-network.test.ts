import { expect, test } from 'vitest';

import { readWay, relayForwardsIpv6, relayState, relaySysctlsWanted, renderState } from '../src/index.ts';
import { machine } from './world.ts';

const facts = machine({
  eth0: ['203.0.113.5/24 2001:db8::5/64', '203.0.113.1'],
  docker0: ['172.17.0.1/16', undefined],
});
const special = { 4: ['10.0.0.0/8', '127.0.0.0/8'], 6: ['2001::/23'] };
const common = { facts, special, allowed: ['10.20.0.0/16', '2001:db8:77::/48'] };
const before = {
  'net.ipv6.conf.all.forwarding': '0',
  'net.ipv4.conf.eth0.forwarding': '0',
  'net.ipv6.conf.eth0.force_forwarding': '0',
};

test('golden: a relay with tunnels', async () => {
  const state = relayState({ ...common, tunnels: ['tresse-r0'], sysctls: before });
  await expect(renderState(state)).toMatchFileSnapshot('golden/relay.txt');
});

test('without tunnels nothing of the kernel is touched', () => {
  expect(relayState({ ...common, tunnels: [], sysctls: before })).toEqual({ sysctls: {}, routes: [], rules: [] });
});

test('only the interfaces that lead to the internet pass packets on, each family as the kernel can', () => {
  expect(relaySysctlsWanted(facts)).toEqual(Object.keys(before));
  expect(relayForwardsIpv6(facts, before)).toBe(true);
  const { 'net.ipv6.conf.eth0.force_forwarding': _, ...old } = before;
  expect(relayForwardsIpv6(facts, old)).toBe(false);
  expect(relayForwardsIpv6(facts, { ...old, 'net.ipv6.conf.all.forwarding': '1' })).toBe(true);
  const state = relayState({ ...common, tunnels: ['tresse-r0'], sysctls: { 'net.ipv4.conf.eth0.forwarding': '0' } });
  expect(state.sysctls).toEqual({ 'net.ipv4.conf.eth0.forwarding': '1' });
  expect(state.ruleset?.text).not.toContain('ip6 ');
});

test('golden: a relay whose ports lead to LANs', async () => {
  const ports = {
    addresses: ['any'],
    tcp: [
      { port: 80, from: [] },
      { port: 8080, from: ['198.51.100.0/24', '192.0.2.7/32'] },
    ],
    udp: [
      { port: 5060, from: [], to: { 4: '100.127.0.2', 6: 'fd00::2' } },
      { port: 5070, from: ['2001:db8:9::/48'], to: { 4: '100.127.0.3', 6: 'fd00::3' } },
    ],
  };
  const state = relayState({ ...common, tunnels: ['tresse-r0'], sysctls: before, ports });
  await expect(renderState(state)).toMatchFileSnapshot('golden/relay-published.txt');
  const alone = relayState({
    ...common,
    tunnels: ['tresse-r0'],
    sysctls: before,
    ports: { ...ports, addresses: ['203.0.113.5'] },
  });
  expect(alone.ruleset?.text).toContain('ip daddr { 203.0.113.5 } udp dport 5060');
  expect(alone.ruleset?.text).not.toContain('dnat ip6');
});

test('golden: a relay with routes between networks behind it and LANs', async () => {
  const routes = [
    {
      device: 'tresse-r0',
      inner: { 4: '100.127.0.2', 6: 'fd00::2' },
      networks: ['10.20.0.0/16', 'fd20::/48'],
      lan: ['192.168.7.0/24', 'fd07::/64'],
    },
    { device: 'tresse-r1', inner: { 4: '100.127.4.2' }, networks: ['10.20.0.0/16', 'fd20::/48'], lan: [] },
  ];
  const sysctls = { ...before, 'net.ipv4.conf.eth1.forwarding': '0', 'net.ipv6.conf.eth1.force_forwarding': '0' };
  expect(relaySysctlsWanted(facts, ['eth1'])).toEqual([...Object.keys(before), ...Object.keys(sysctls).slice(-2)]);
  const state = relayState({ ...common, tunnels: ['tresse-r0', 'tresse-r1'], sysctls, routes, behind: ['eth1'] });
  await expect(renderState(state)).toMatchFileSnapshot('golden/relay-routes.txt');
  const nowhere = relayState({ ...common, tunnels: ['tresse-r0'], sysctls, routes });
  expect(nowhere.ruleset?.text).not.toContain('daddr { 192.168.7.0/24 }');
});

test('the way to a network is a route of its own', () => {
  expect(readWay([{ dst: '10.20.0.0/16', gateway: '10.9.0.1', dev: 'eth1' }])).toBe('eth1');
  expect(readWay([{ dst: 'default', gateway: '203.0.113.1', dev: 'eth0' }])).toBeUndefined();
  expect(readWay([{ type: 'local', dst: '127.0.0.0/8', dev: 'lo' }])).toBeUndefined();
  expect(readWay([])).toBeUndefined();
});
