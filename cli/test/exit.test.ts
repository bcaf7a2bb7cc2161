import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const tresse = join(import.meta.dirname, '../../bin/tresse');
const status = (line: string): number | null => spawnSync(tresse, line.split(' ')).status;

test.each(['--help', '--version', 'status --help', 'box --help', 'relay check --help'])(
  '"tresse %s" ends with 0',
  (line) => {
    expect(status(line)).toBe(0);
  },
);

test.each(['nonsense', 'status --nope', 'relay pair --nope', 'box nonsense', 'box check --nope', 'relay --nope'])(
  '"tresse %s" is the person\'s to mend: 2',
  (line) => {
    expect(status(line)).toBe(2);
  },
);

test('so is a daemon that is not there', () => {
  expect(status('status --state /nonexistent')).toBe(2);
});
