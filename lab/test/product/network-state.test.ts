import { expect, test } from 'vitest';

import { differences, type NetworkState } from '../../src/product/network-state.ts';

const state: NetworkState = { rule: ['r1'], route: ['a', 'b'], nftables: [], setting: ['net.ipv4.ip_forward = 0'] };

test('what is as it was is no fault', () => {
  expect(differences(state, { ...state })).toEqual([]);
});

test('names what was left behind, what is gone, and a setting that is not as before', () => {
  const after = { ...state, route: ['a', 'c'], setting: ['net.ipv4.ip_forward = 1'] };
  expect(differences(state, after)).toEqual([
    'left behind, route: c',
    'gone, route: b',
    'left behind, setting: net.ipv4.ip_forward = 1',
    'gone, setting: net.ipv4.ip_forward = 0',
  ]);
});
