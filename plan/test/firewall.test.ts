import { expect, test } from 'vitest';

import { adviseBoxFirewall, adviseRelayFirewall, readDroppingChains } from '../src/index.ts';

const chain = (hook: string, policy: string, table = 'filter'): unknown => ({
  chain: { family: 'ip', table, name: hook.toUpperCase(), type: 'filter', hook, prio: 0, policy },
});
const rule = (left: unknown, right: unknown, table = 'filter'): unknown => ({
  rule: { family: 'ip', table, chain: 'x', expr: [{ match: { op: '==', left, right } }, { accept: null }] },
});
const dport = { payload: { protocol: 'tcp', field: 'dport' } };
const iifname = { meta: { key: 'iifname' } };
const mark = { '&': [{ meta: { key: 'mark' } }, 0xff_0000] };

const box = (...objects: unknown[]): string[] =>
  adviseBoxFirewall(readDroppingChains(objects), ['lan0']).map((one) => one.sentence);
const relay = (...objects: unknown[]): string[] =>
  adviseRelayFirewall(readDroppingChains(objects), 7443, false).map((one) => one.sentence);
const tunnelling = (...objects: unknown[]): string[] =>
  adviseRelayFirewall(readDroppingChains(objects), 7443, true).map((one) => one.sentence);

test('what lets everything through, and what is ours, says nothing', () => {
  const fine = [chain('input', 'accept'), chain('forward', 'accept'), chain('input', 'drop', 'tresse'), { table: {} }];
  expect([...box(...fine), ...relay(...fine)]).toEqual([]);
  expect(box({ nonsense: 1 }, 7, null)).toEqual([]);
});

test('a box is told what its firewall must let through', () => {
  expect(box(chain('input', 'drop'), chain('forward', 'drop'), rule(dport, 22))).toEqual([
    "a firewall of this machine (ip filter INPUT) drops what it does not know: it must accept what carries the mark 0x510000/0xff0000, or the LAN's TCP does not reach the bond",
    'a firewall of this machine (ip filter FORWARD) drops what it does not know: it must accept what comes from lan0 and its answers, or only TCP leaves',
  ]);
});

test.each([
  ['the mark', rule(mark, 0x51_0000)],
  ['the LAN', rule(iifname, 'lan0')],
  ['the LAN among others', rule(iifname, { set: ['lo', 'lan0'] })],
])('a box whose firewall looks at %s is left in peace', (_, known) => {
  expect(box(chain('input', 'drop'), known)).toEqual([]);
  expect(box(chain('input', 'drop', 'other'), known)).toHaveLength(1);
});

const last = (...expr: unknown[]): unknown => ({ rule: { family: 'ip', table: 'filter', chain: 'FORWARD', expr } });

test('a chain that ends by refusing the rest, as firewalld has it, drops too', () => {
  const first = last({ match: { op: '==', left: { ct: { key: 'state' } }, right: 'established' } }, { accept: null });
  expect(box(chain('forward', 'accept'), first, last({ counter: null }, { reject: { type: 'icmpx' } }))).toHaveLength(
    1,
  );
  expect(box(chain('forward', 'accept'), last({ reject: null }), first)).toEqual([]);
  const some = last({ match: { op: '==', left: { ct: { key: 'state' } }, right: 'invalid' } }, { drop: null });
  expect(box(chain('forward', 'accept'), some)).toEqual([]);
});

test('a relay is told to open its port, unless a rule names it', () => {
  expect(relay(chain('input', 'drop'), chain('forward', 'drop'))).toEqual([
    'a firewall of this machine (ip filter INPUT) drops what it does not know: it must accept TCP port 7443, or no box gets in',
  ]);
  for (const right of [7443, { set: [22, 7443] }, { set: [22, { range: [7000, 8000] }] }, { range: [7443, 7443] }]) {
    expect(relay(chain('input', 'drop'), rule(dport, right))).toEqual([]);
  }
  expect(relay(chain('input', 'drop'), rule(dport, { range: [1, 1024] }))).toHaveLength(1);
  expect(relay(chain('input', 'drop'), { rule: { family: 'ip', table: 'filter', expr: [{ xt: null }] } })).toHaveLength(
    1,
  );
});

test('a relay with tunnels is told that packets must get through too', () => {
  const dropping = [chain('input', 'drop'), chain('forward', 'drop')];
  expect(tunnelling(...dropping)).toEqual([
    'a firewall of this machine (ip filter INPUT) drops what it does not know: it must accept TCP and UDP port 7443, or no box gets in',
    'a firewall of this machine (ip filter FORWARD) drops what it does not know: it must accept what comes from tresse-r* and its answers, or only TCP gets through',
  ]);
  expect(tunnelling(...dropping, rule(dport, 7443), rule(iifname, 'tresse-r*'))).toEqual([]);
  expect(relay(...dropping, rule(dport, 7443))).toEqual([]);
});

test('a relay is told to open what it publishes, where its connections end and where its packets are passed on', () => {
  const chains = readDroppingChains([
    chain('input', 'drop'),
    chain('forward', 'drop'),
    rule(dport, { set: [7443, 81] }),
  ]);
  const published = ([80, 81] as const).flatMap((port) => [
    { protocol: 'tcp' as const, port },
    { protocol: 'udp' as const, port },
  ]);
  const before = adviseRelayFirewall(chains, 7443, true).length;
  expect(
    adviseRelayFirewall(chains, 7443, true, published)
      .slice(before)
      .map((one) => one.sentence),
  ).toEqual([
    'a firewall of this machine (ip filter INPUT) drops what it does not know: it must accept TCP port 80, or nobody gets to what is published',
    'a firewall of this machine (ip filter FORWARD) drops what it does not know: it must accept UDP port 80, or nobody gets to what is published',
  ]);
});
