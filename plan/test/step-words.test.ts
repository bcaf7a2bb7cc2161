import { expect, test } from 'vitest';

import { diff, directOf, nothing, resolveUplinks, stepWords } from '../src/index.ts';
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

test('the kernel knows by which line direct traffic leaves', () => {
  const uplinks = resolveUplinks(box, facts);
  expect(directOf(state.rules, uplinks)).toBe('dsl');
  expect(directOf([], uplinks)).toBeUndefined();
});
