/** Installing below another root: what is there runs, what was there before is gone, and all of it is taken back. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
const root = mkdtempSync(join(tmpdir(), 'tresse-install-'));
const place = join(root, 'usr/lib/tresse');

afterAll(() => {
  rmSync(root, { recursive: true });
});

function run(program: string, ...argv: string[]): { status: number | null; said: string } {
  const env = { ...process.env, DESTDIR: root, PREFIX: '/usr/lib/tresse', NODE_COMPILE_CACHE: join(root, 'cache') };
  const { status, stdout, stderr } = spawnSync(program, argv, { env, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

const script = (name: string): string => join(repository, 'packaging', name);
const tresse = (...argv: string[]): ReturnType<typeof run> => run(join(place, 'bin/tresse'), ...argv);

test('a copy is installed that runs by itself, without what only builders need', () => {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'of-an-earlier-version'), '');
  expect(run(script('install.sh'))).toEqual({
    status: 0,
    said: 'Installed in /usr/lib/tresse; the command is /usr/local/bin/tresse.\n',
  });
  expect(existsSync(join(place, 'of-an-earlier-version'))).toBe(false);
  expect(readlinkSync(join(root, 'usr/local/bin/tresse'))).toBe('/usr/lib/tresse/bin/tresse');
  const unit = readFileSync(join(root, 'etc/systemd/system/tresse-box.service'), 'utf8');
  expect(unit).toContain('ExecStart=/usr/lib/tresse/bin/tresse box run\n');
  expect(unit).not.toContain('/opt/');
  for (const room of ['box', 'relay']) expect(tresse(room, '--help')).toMatchObject({ status: 0 });
  expect(tresse('status', '--state', '/nonexistent').said).toContain('No box and no relay runs');
  expect(tresse('lab', 'demo')).toEqual({
    status: 2,
    said: 'This is an installed copy: the lab is only in a checkout of the source.\n',
  });
  expect(globSync('{*/test,lab,sim,node_modules/vitest,node_modules/typescript}', { cwd: place })).toEqual([]);
});

test('a second time replaces the first, and all is taken back but what is the person’s', () => {
  expect(run(script('install.sh')).status).toBe(0);
  mkdirSync(join(root, 'var/lib/tresse'), { recursive: true });
  writeFileSync(join(root, 'var/lib/tresse/box.yaml'), '');
  // The one that lies beside what it removes.
  expect(run(join(place, 'packaging/uninstall.sh')).said).toContain('are still in /var/lib/tresse');
  expect(run(script('uninstall.sh')).status).toBe(0);
  expect(globSync('**/*tresse*', { cwd: root }).toSorted()).toEqual(['var/lib/tresse']);
});
