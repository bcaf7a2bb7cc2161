import type { ChangedSysctls } from '@tresse/plan';

import type { StateReader } from './state-directory.ts';

/** The file in the state directory that keeps the values of kernel settings from before us. */
export const sysctlFile = 'sysctls.json';

/** The kernel settings we changed and have not restored; undefined when the file that says so is damaged. */
export function readChangedSysctls(directory: StateReader): ChangedSysctls | undefined {
  try {
    const parsed: unknown = JSON.parse(directory.read(sysctlFile) ?? '{}');
    return isChanged(parsed) ? parsed : {};
  } catch {
    return undefined;
  }
}

function isChanged(value: unknown): value is ChangedSysctls {
  if (value === null || typeof value !== 'object') return false;
  return Object.values(value).every(
    (one: unknown) =>
      one !== null &&
      typeof one === 'object' &&
      'before' in one &&
      typeof one.before === 'string' &&
      'ours' in one &&
      typeof one.ours === 'string',
  );
}
