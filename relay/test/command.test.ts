import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readYaml, relayConfig } from '@tresse/schema';
import { afterEach, expect, test, vi } from 'vitest';

import { relayCommand } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'tresse-relay-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

test('init makes an identity and a configuration which the relay reads, once, and prints the same pin ever after', async () => {
  const said: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const line = ['node', 'tresse', 'init', '--state', folder, '--public', '203.0.113.1, 2001:db8::1'];
  await relayCommand().parseAsync(line);
  await relayCommand().parseAsync(line);
  const pins = said.map((text) => text.trim().split('\n').at(-1));
  expect(pins[0]).toMatch(/^[\w-]{43}$/u);
  expect(pins[1]).toBe(pins[0]);
  expect(said[1]).toContain('Found the identity');
  expect(said[1]).toContain(`Left as it is: ${join(folder, 'relay.yaml')}`);
  const reading = readYaml('relay.yaml', readFileSync(join(folder, 'relay.yaml'), 'utf8'), relayConfig);
  expect(reading).toEqual({
    ok: true,
    value: {
      public: ['203.0.113.1', '2001:db8::1'],
      listen: { addresses: ['any'], port: 7443 },
      workers: 'auto',
      tunnel: true,
      boxes: [],
      allowPrivate: [],
      publish: [],
      routes: [],
    },
  });
});
