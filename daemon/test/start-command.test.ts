import { expect, test } from 'vitest';

import { startCommand } from '../src/index.ts';

test('a daemon is started by its unit where one is installed', () => {
  expect(startCommand('box', (path) => path === '/etc/systemd/system/tresse-box.service')).toBe(
    'systemctl enable --now tresse-box',
  );
  expect(startCommand('relay', (path) => path === '/lib/systemd/system/tresse-relay.service')).toBe(
    'systemctl enable --now tresse-relay',
  );
  expect(startCommand('relay', () => false)).toBe('tresse relay run');
});
