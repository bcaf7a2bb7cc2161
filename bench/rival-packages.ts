import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

import { SystemError } from '@tresse/kit';
import { run } from '@tresse/sys';

const home = join(import.meta.dirname, '..');
const unpacked = join(home, '.cache/rival');

/** Where a rival's programs are, and what they need beside them. */
export interface RivalPrograms {
  /** The path of a program, as in the package: `usr/bin/ss-server`. Throws SystemError `BENCH` where the package has none. */
  readonly program: (path: string) => string;
  readonly env: Readonly<Record<string, string>>;
}

/** Fetches Debian packages and unpacks them, without installing. Throws CommandError with the reason where they cannot be had. */
export async function fetchRivals(...packages: readonly string[]): Promise<RivalPrograms> {
  await run([join(home, 'bench/packages.sh'), ...packages], { timeoutMs: 120_000 });
  const libraries = globSync([`${unpacked}/usr/lib/*-linux-gnu`, `${unpacked}/lib/*-linux-gnu`]).join(':');
  return {
    program: (path) => {
      const full = join(unpacked, path);
      if (!existsSync(full)) throw new SystemError('BENCH', `${path} is not in the packages ${packages.join(', ')}`);
      return full;
    },
    env: { LD_LIBRARY_PATH: libraries },
  };
}
