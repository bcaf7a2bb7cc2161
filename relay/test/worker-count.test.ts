import { expect, test } from 'vitest';

import { workerCount } from '../src/worker-count.ts';

test.each([
  ['auto', 1, 1],
  ['auto', 2, 2],
  ['auto', 4, 4],
  ['auto', 64, 4],
  [1, 8, 1],
  [16, 2, 16],
] as const)('workers: %s on %d cores makes %d', (configured, cores, workers) => {
  expect(workerCount(configured, cores)).toBe(workers);
});
