import { UserError } from '@tresse/kit';
import { expect, test } from 'vitest';

import { readSysctl, writeSysctl } from '../src/sysctl.ts';

test('reads a setting, by either separator', () => {
  expect(readSysctl('kernel.ostype')).toBe('Linux');
  expect(readSysctl('net/ipv4/conf/all/forwarding')).toMatch(/^[01]$/u);
});

test('what this kernel lacks is undefined to read and an error to set', () => {
  expect(readSysctl('net.ipv4.no_such_setting')).toBeUndefined();
  expect(() => writeSysctl('net.ipv4.no_such_setting', 1)).toThrow(
    expect.objectContaining({
      code: 'SYSCTL',
      message: 'cannot set the kernel setting net.ipv4.no_such_setting (ENOENT)',
    }),
  );
});

test.each(['', '..', 'net..ipv4', 'net/../../etc', '/kernel/ostype', 'a b'])('refuses the key "%s"', (key) => {
  expect(() => readSysctl(key)).toThrow(UserError);
});

test('a namespace that is not there is named', () => {
  expect(() => readSysctl('kernel.ostype', 'tsy-none')).toThrow(expect.objectContaining({ code: 'NETNS_MISSING' }));
});
