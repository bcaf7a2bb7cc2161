import { expect, test } from 'vitest';

import { treat } from '../src/index.ts';

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
