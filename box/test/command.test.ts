import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, expect, test, vi } from 'vitest';

import { boxCommand } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'tresse-box-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

test('init never touches a configuration that is there', async () => {
  const said: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const line = ['node', 'tresse', 'init', '--state', folder];
  await boxCommand().parseAsync(line);
  const before = readFileSync(join(folder, 'box.yaml'), 'utf8');
  await boxCommand().parseAsync(line);
  expect(readFileSync(join(folder, 'box.yaml'), 'utf8')).toBe(before);
  expect(said.map((text) => text.trim().split('\n').at(-1)?.length)).toEqual([43, 43]);
  expect(said[1]).toContain('Found the identity');
});

const run = (config: string): Promise<unknown> =>
  boxCommand().parseAsync(['node', 'tresse', 'run', '--state', '/nonexistent', '--config', config]);

test('run without a configuration, or a bad one, is refused before anything is touched', async () => {
  await expect(run('/nonexistent/box.yaml')).rejects.toThrow(/cannot be read .* make one by "tresse box init"/u);
  await expect(run(import.meta.filename)).rejects.toThrow(/command\.test\.ts:\d+:\d+/u);
});
