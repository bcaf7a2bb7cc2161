import { expect, test } from 'vitest';

import { processorSeconds, processorTicks, residentBytes } from '../../src/measure/process-cost.ts';

test('the name of a process may hold anything', () => {
  const stat = '4711 (a) b (c) S 1 4711 4711 0 -1 4194560 21 0 3 0 250 50 0 0 20 0 7 0 100 0 0';
  expect(processorTicks(stat)).toBe(300);
});

test('this process has memory and has worked; one that is not there has neither', () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(1_000_000);
  expect(processorSeconds(process.pid)).toBeGreaterThan(0);
  expect(residentBytes(0)).toBe(0);
  expect(processorSeconds(0)).toBe(0);
});
