import { readFileSync, writeFileSync } from 'node:fs';

import { SystemError, TresseError, UserError } from '@tresse/kit';

import { inNetns } from './netns.ts';

/**
 * A kernel setting, for example `net.ipv4.ip_forward`; with `/` between the parts when one of them holds a dot. Returns its text without the line's end, undefined when this kernel has
 * none of that name. `net.*` is per namespace: the calling thread's, or the one named. Throws SystemError `SYSCTL`, UserError `SYSCTL_KEY`.
 */
export function readSysctl(key: string, netns?: string): string | undefined {
  const path = pathOf(key);
  try {
    return within(netns, () => readFileSync(path, 'utf8')).trimEnd();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw refused('read', key, error);
  }
}

/** Sets a kernel setting; keys and namespaces as in {@link readSysctl}. Throws SystemError `SYSCTL` (missing, not allowed, not accepted), UserError `SYSCTL_KEY`. */
export function writeSysctl(key: string, value: string | number, netns?: string): void {
  const path = pathOf(key);
  try {
    // Without creating: a wrong key must not be answered by "permission denied".
    within(netns, () => writeFileSync(path, String(value), { flag: 'r+' }));
  } catch (error) {
    throw refused('set', key, error);
  }
}

function within<T>(netns: string | undefined, work: () => T): T {
  return netns === undefined ? work() : inNetns(netns, work);
}

function pathOf(key: string): string {
  const parts = key.split(key.includes('/') ? '/' : '.');
  if (parts.some((p) => p === '' || p === '.' || p === '..') || !/^[\w./@:+-]+$/u.test(key)) {
    throw new UserError('SYSCTL_KEY', `"${key}" is not the name of a kernel setting.`);
  }
  return `/proc/sys/${parts.join('/')}`;
}

function refused(verb: string, key: string, error: unknown): TresseError {
  // From the way into the namespace: it says what is wrong better.
  if (error instanceof TresseError) return error;
  const code = codeOf(error);
  return new SystemError('SYSCTL', `cannot ${verb} the kernel setting ${key} (${code ?? 'unknown'})`, error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
