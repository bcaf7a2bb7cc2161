import { expect, test } from 'vitest';

import { treat, treatPackets } from '../src/index.ts';

const yes = { 4: true, 6: true };
const no = { 4: false, 6: false };

test('while the relay is reached IPv4 is bonded, and IPv6 where the relay has it', () => {
  expect(treat('direct', { reached: true, egress: yes, able: no })).toEqual({ 4: 'bond', 6: 'bond' });
  expect(treat('direct', { reached: true, egress: { 4: true, 6: false }, able: yes })).toEqual({
    4: 'bond',
    6: 'refuse',
  });
  expect(treat('refuse', { reached: true, egress: yes, able: yes })).toEqual({ 4: 'bond', 6: 'bond' });
});

test('without it new connections go directly where they can, or are refused', () => {
  expect(treat('direct', { reached: false, egress: yes, able: yes })).toEqual({ 4: 'direct', 6: 'direct' });
  expect(treat('direct', { reached: false, egress: yes, able: { 4: true, 6: false } })).toEqual({
    4: 'direct',
    6: 'refuse',
  });
  expect(treat('direct', { reached: false, egress: yes, able: no })).toEqual({ 4: 'refuse', 6: 'refuse' });
  expect(treat('refuse', { reached: false, egress: yes, able: yes })).toEqual({ 4: 'refuse', 6: 'refuse' });
});

test('packets go through the tunnel by the families it has, wait while that is not known, and leave directly without it', () => {
  expect(treatPackets({ 4: true, 6: true })).toEqual({ 4: 'tunnel', 6: 'tunnel' });
  expect(treatPackets({ 4: true, 6: false })).toEqual({ 4: 'tunnel', 6: 'refuse' });
  expect(treatPackets('waiting')).toEqual({ 4: 'hold', 6: 'hold' });
  expect(treatPackets('none')).toEqual({ 4: 'direct', 6: 'direct' });
});
