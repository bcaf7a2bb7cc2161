/** Prints the folders in node_modules that the daemons and the command need to run, one a line, by the lock file. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

interface Entry {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const folder = new URL('../', import.meta.url);
const lock = JSON.parse(readFileSync(new URL('package-lock.json', folder), 'utf8')) as {
  packages: Readonly<Record<string, Entry>>;
};

/** Where a package finds another one: in its own node_modules, or in that of a folder above. */
function found(from: string, name: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const path = at === '.' || at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (path in lock.packages) return path;
    if (at === '.' || at === '') return undefined;
  }
}

const needed = new Set<string>();
const open = ['box', 'relay', 'cli'].map((room) => found('', `@tresse/${room}`));
for (const path of open) {
  if (path === undefined || needed.has(path) || !existsSync(new URL(path, folder))) continue;
  needed.add(path);
  const entry = lock.packages[path] ?? {};
  const home = entry.link === true ? (entry.resolved ?? path) : path;
  const { dependencies, optionalDependencies } = lock.packages[home] ?? {};
  open.push(...Object.keys({ ...dependencies, ...optionalDependencies }).map((name) => found(home, name)));
}
process.stdout.write(`${[...needed].toSorted().join('\n')}\n`);
