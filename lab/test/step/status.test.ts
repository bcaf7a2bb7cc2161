import { expect, test } from 'vitest';

import { saysSo } from '../../src/step/status.ts';

const text = `Bonding over 2 of 2 lines

LINE  STATE  WHY
wan1  up     the relay answers
`;

test('every pattern has to match a line, and none of the others may', () => {
  expect(saysSo({ says: ['^wan1 +up', 'relay answers$'], saysNot: ['down'] }, text)).toBe(true);
  expect(saysSo({ says: ['^wan1 +up', '^wan2'], saysNot: [] }, text)).toBe(false);
  expect(saysSo({ says: [], saysNot: ['answers$'] }, text)).toBe(false);
});
