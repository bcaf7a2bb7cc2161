import { SystemError } from '@tresse/kit';
import { expect, test } from 'vitest';

import { SlowWarnings } from '../src/index.ts';

test('a look is good for a minute, and one that fails finds nothing', async () => {
  let looks = 0;
  const warnings = new SlowWarnings(() => {
    looks++;
    return looks === 3 ? Promise.reject(new SystemError('NFT', 'gone')) : Promise.resolve([`look ${looks}`]);
  });
  const both = await Promise.all([warnings.sentences(5), warnings.sentences(6)]);
  expect(both).toEqual([['look 1'], ['look 1']]);
  expect(await warnings.sentences(59_000)).toEqual(['look 1']);
  expect(await warnings.sentences(61_000)).toEqual(['look 2']);
  expect(await warnings.sentences(130_000)).toEqual([]);
  expect(await warnings.sentences(200_000)).toEqual(['look 4']);
});
