import { expect, test } from 'vitest';

import { clockWarning } from '../src/clock.ts';

test('a wrong clock is said, in whichever direction, and a right one is not', () => {
  expect(clockWarning(0)).toBeUndefined();
  expect(clockWarning(59_000)).toBeUndefined();
  expect(clockWarning(-59_000)).toBeUndefined();
  expect(clockWarning(61_000)).toBe("this machine's clock is 61 s ahead of the relay's");
  expect(clockWarning(-3_600_000)).toBe("this machine's clock is 3600 s behind the relay's");
});
