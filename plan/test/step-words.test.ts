import { expect, test } from 'vitest';

import { diff, nothing, readChoice, resolveUplinks, stepWords } from '../src/index.ts';
import { config, desire, kernelWith, machine } from './world.ts';

const facts = machine({ lan0: ['192.168.77.1/24', undefined], wan1: ['10.0.1.2/24', '10.0.1.1'] });
const box = config([{ name: 'dsl', interface: 'wan1' }]);
const sysctls = { 'net.ipv4.conf.lan0.forwarding': '0', 'net.ipv4.conf.all.rp_filter': '0' };
const state = desire(box, facts, sysctls);
const empty = { rules: [], routes: [], sysctls };

test('what a start does', async () => {
  await expect(`${stepWords(diff(state, empty, {})).join('\n')}\n`).toMatchFileSnapshot('golden/words-start.txt');
});

test('what the end does', async () => {
  const changed = {
    'net.ipv4.conf.lan0.forwarding': { before: '0', ours: '1' },
    'net.ipv4.conf.all.rp_filter': { before: '1', ours: '2' },
  };
  const steps = diff(nothing, kernelWith(state, sysctls), changed);
  await expect(`${stepWords(steps).join('\n')}\n`).toMatchFileSnapshot('golden/words-end.txt');
});

test('the table tells by which line direct traffic leaves, and what becomes of new connections', () => {
  const uplinks = resolveUplinks(box, facts);
  const choice = {
    direct: { 4: 'dsl' },
    treatments: { 4: 'bond', 6: 'refuse' },
    packets: { 4: 'direct', 6: 'direct' },
  };
  expect(readChoice(state.ruleset?.fingerprint, uplinks)).toEqual(choice);
  expect(readChoice(undefined, uplinks)).toBeUndefined();
  expect(readChoice('tresse 0123', uplinks)).toBeUndefined();
});
