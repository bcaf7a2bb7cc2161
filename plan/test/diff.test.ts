import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type ChangedSysctls, diff, type KernelState, nothing, renderStep, type Step } from '../src/index.ts';
import { routeArguments, routeKey, ruleArguments } from '../src/state.ts';
import { config, desire, kernelWith, machine } from './world.ts';

const sysctls = {
  'net.ipv4.conf.lan0.forwarding': '0',
  'net.ipv4.conf.wan1.forwarding': '1',
  'net.ipv4.conf.wan2.forwarding': '0',
  'net.ipv4.conf.all.rp_filter': '1',
  'net.ipv4.conf.wan1.rp_filter': '0',
  'net.ipv4.conf.wan2.rp_filter': '0',
};
const empty: KernelState = { rules: [], routes: [], sysctls };
const box = config([
  { name: 'dsl', interface: 'wan1' },
  { name: 'fibre', interface: 'wan2' },
]);
const facts = machine({ wan1: ['10.0.1.2/24', '10.0.1.1'], wan2: ['10.0.2.2/24', '10.0.2.1'] });

/** What the steps make of a kernel, by the rules of ip and nft. */
function play(kernel: KernelState, steps: readonly Step[], changed: ChangedSysctls): [KernelState, ChangedSysctls] {
  let { rules, routes, table } = kernel;
  const values: Record<string, string> = { ...kernel.sysctls };
  const remembered: Record<string, { before: string; ours: string }> = { ...changed };
  const wanted = desireCache;
  for (const step of steps) {
    if (step.kind === 'sysctl') {
      remembered[step.key] = { before: step.before, ours: step.value };
      values[step.key] = step.value;
    } else if (step.kind === 'restore' || step.kind === 'forget') {
      if (step.kind === 'restore') values[step.key] = step.value;
      delete remembered[step.key];
    } else if (step.kind === 'nft') {
      table = step.text.startsWith('delete') ? undefined : wanted.find((s) => s.ruleset?.text === step.text)?.ruleset;
    } else {
      const [object, verb, ...rest] = step.arguments;
      const text = rest.join(' ');
      const { family } = step;
      const rule = wanted
        .flatMap((s) => s.rules)
        .find((r) => r.family === family && ruleArguments(r).join(' ') === text);
      const route = wanted
        .flatMap((s) => s.routes)
        .find((r) => r.family === family && routeArguments(r).join(' ') === text);
      if (object === 'rule' && rule) {
        rules = verb === 'add' ? [...rules, rule] : rules.filter((r) => r !== rule);
      } else if (object === 'route' && route) {
        const others = routes.filter((r) => routeKey(r) !== routeKey(route));
        routes = verb === 'replace' ? [...others, route] : others;
      }
    }
  }
  return [{ rules, routes, sysctls: values, ...(table && { table }) }, remembered];
}
const desireCache: ReturnType<typeof desire>[] = [];
const wish = (...given: Parameters<typeof desire>): ReturnType<typeof desire> => {
  const state = desire(...given);
  desireCache.push(state);
  return state;
};

test('from nothing: sysctls, routes, rules, then the table', () => {
  expect(diff(wish(box, facts, sysctls), empty, {}).map(renderStep)).toMatchInlineSnapshot(`
    [
      "sysctl -w net.ipv4.conf.lan0.forwarding=1",
      "sysctl -w net.ipv4.conf.wan2.forwarding=1",
      "sysctl -w net.ipv4.conf.wan1.rp_filter=2",
      "sysctl -w net.ipv4.conf.wan2.rp_filter=2",
      "ip route replace local default dev lo table 5100 proto 200",
      "ip route replace 10.0.1.0/24 dev wan1 table 5101 proto 200 scope link src 10.0.1.2",
      "ip route replace default via 10.0.1.1 dev wan1 table 5101 proto 200",
      "ip route replace unreachable default table 5101 proto 200 metric 9999",
      "ip route replace 10.0.2.0/24 dev wan2 table 5102 proto 200 scope link src 10.0.2.2",
      "ip route replace default via 10.0.2.1 dev wan2 table 5102 proto 200",
      "ip route replace unreachable default table 5102 proto 200 metric 9999",
      "ip rule add pref 5100 fwmark 0x510000/0xff0000 lookup 5100 protocol 200",
      "ip rule add pref 5101 from 10.0.1.2 lookup 5101 protocol 200",
      "ip rule add pref 5102 from 10.0.2.2 lookup 5102 protocol 200",
      "ip rule add pref 5180 iif lan0 lookup main suppress_prefixlength 0 protocol 200",
      "ip rule add pref 5190 fwmark 0x600000/0xff0000 lookup 5101 protocol 200",
      "ip rule add pref 5190 fwmark 0x610000/0xff0000 lookup 5102 protocol 200",
      "ip rule add pref 5195 iif lan0 lookup 5101 protocol 200",
      "nft -f - (the whole table)",
    ]
  `);
});

test('what is there already takes no step', () => {
  const state = wish(box, facts, sysctls);
  const changed = Object.fromEntries(Object.entries(state.sysctls).map(([key, ours]) => [key, { before: '0', ours }]));
  expect(diff(state, kernelWith(state, sysctls), changed)).toEqual([]);
});

test('a new address on a line: new routes and rule first, the old rule last, the table untouched', () => {
  const before = wish(box, facts, sysctls);
  const after = wish(box, machine({ wan1: ['10.0.9.2/24', '10.0.9.1'], wan2: ['10.0.2.2/24', '10.0.2.1'] }), sysctls);
  expect(diff(after, kernelWith(before, sysctls), {}).map(renderStep)).toMatchInlineSnapshot(`
    [
      "ip route replace 10.0.9.0/24 dev wan1 table 5101 proto 200 scope link src 10.0.9.2",
      "ip route replace default via 10.0.9.1 dev wan1 table 5101 proto 200",
      "ip rule add pref 5101 from 10.0.9.2 lookup 5101 protocol 200",
      "nft -f - (the whole table)",
      "ip rule del pref 5101 from 10.0.1.2 lookup 5101 protocol 200",
      "ip route del 10.0.1.0/24 dev wan1 table 5101 proto 200 scope link src 10.0.1.2",
    ]
  `);
});

test('tear-down removes what is ours, and restores only values nobody else changed', () => {
  const state = wish(box, facts, sysctls);
  const kernel = kernelWith(state, sysctls);
  const changed = {
    'net.ipv4.conf.lan0.forwarding': { before: '0', ours: '1' },
    'net.ipv4.conf.wan1.rp_filter': { before: '0', ours: '2' },
  };
  const touched = { ...kernel, sysctls: { ...kernel.sysctls, 'net.ipv4.conf.wan1.rp_filter': '0' } };
  expect(diff(nothing, touched, changed).map(renderStep)).toMatchInlineSnapshot(`
    [
      "nft delete table inet tresse",
      "ip rule del pref 5100 fwmark 0x510000/0xff0000 lookup 5100 protocol 200",
      "ip rule del pref 5101 from 10.0.1.2 lookup 5101 protocol 200",
      "ip rule del pref 5102 from 10.0.2.2 lookup 5102 protocol 200",
      "ip rule del pref 5180 iif lan0 lookup main suppress_prefixlength 0 protocol 200",
      "ip rule del pref 5190 fwmark 0x600000/0xff0000 lookup 5101 protocol 200",
      "ip rule del pref 5190 fwmark 0x610000/0xff0000 lookup 5102 protocol 200",
      "ip rule del pref 5195 iif lan0 lookup 5101 protocol 200",
      "ip route del local default dev lo table 5100 proto 200",
      "ip route del 10.0.1.0/24 dev wan1 table 5101 proto 200 scope link src 10.0.1.2",
      "ip route del default via 10.0.1.1 dev wan1 table 5101 proto 200",
      "ip route del unreachable default table 5101 proto 200 metric 9999",
      "ip route del 10.0.2.0/24 dev wan2 table 5102 proto 200 scope link src 10.0.2.2",
      "ip route del default via 10.0.2.1 dev wan2 table 5102 proto 200",
      "ip route del unreachable default table 5102 proto 200 metric 9999",
      "sysctl -w net.ipv4.conf.lan0.forwarding=0",
      "# net.ipv4.conf.wan1.rp_filter was changed by somebody else: left as it is",
    ]
  `);
});

test('a table somebody added a rule to, or of another version, is replaced', () => {
  const state = wish(box, facts, sysctls);
  const kernel = kernelWith(state, sysctls);
  const nft = (table: { fingerprint: string; ruleCount: number }): number =>
    diff(state, { ...kernel, table }, {}).filter((step) => step.kind === 'nft').length;
  const { fingerprint, ruleCount } = state.ruleset!;
  expect(nft({ fingerprint, ruleCount })).toBe(0);
  expect(nft({ fingerprint, ruleCount: ruleCount + 1 })).toBe(1);
  expect(nft({ fingerprint: 'tresse 0', ruleCount })).toBe(1);
});

const port = fc.record({
  net: fc.integer({ min: 1, max: 4 }),
  host: fc.integer({ min: 2, max: 4 }),
  gateway: fc.boolean(),
  there: fc.boolean(),
});
const world = fc
  .tuple(port, port)
  .map((ports) =>
    machine(
      Object.fromEntries(
        ports.flatMap(({ net, host, gateway, there }, i): [string, [string, string | undefined]][] =>
          there ? [[`wan${i + 1}`, [`10.0.${net}.${host}/24`, gateway ? `10.0.${net}.1` : undefined]]] : [],
        ),
      ),
    ),
  );

test('whatever the machine goes through, the steps reach what is wanted, are then none, and tear-down leaves nothing', () => {
  fc.assert(
    fc.property(fc.array(world, { minLength: 1, maxLength: 6 }), (worlds) => {
      desireCache.length = 0;
      let kernel = empty;
      let changed: ChangedSysctls = {};
      for (const one of worlds) {
        const state = wish(box, one, { ...kernel.sysctls }, changed);
        [kernel, changed] = play(kernel, diff(state, kernel, changed), changed);
        expect(diff(state, kernel, changed)).toEqual([]);
        expect(wish(box, one, { ...kernel.sysctls }, changed).sysctls).toEqual(state.sysctls);
      }
      [kernel, changed] = play(kernel, diff(nothing, kernel, changed), changed);
      expect(kernel).toEqual(empty);
      expect(changed).toEqual({});
    }),
  );
});
