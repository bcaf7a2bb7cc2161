import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { daemonStatus } from '@tresse/schema';
import { afterEach, expect, test } from 'vitest';

import { askDaemon } from '../src/ask.ts';
import { tresseCommand } from '../src/index.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A state directory whose socket answers everything with this. */
async function daemon(code: number, text: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tresse-cli-'));
  const server = createServer((_, response) => response.writeHead(code).end(text));
  await new Promise<void>((resolve) => {
    server.listen(join(folder, 'api.sock'), resolve);
  });
  ends.push(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

test('without a daemon the sentence says how to start one', async () => {
  await expect(askDaemon('/nonexistent', { path: '/v1/status' }, daemonStatus)).rejects.toThrow(
    'No box and no relay runs with the state directory /nonexistent: start one by "tresse box run" or "tresse relay run"',
  );
});

test.each([
  [200, 'hello', 'no JSON'],
  [200, '{"kind":"toaster"}', 'another version'],
  [500, '{}', 'answers with 500'],
  [500, '{"code":"DISK","sentence":"No room."}', 'answers with 500: No room.'],
  [422, '{"code":"NAME_TAKEN","sentence":"Taken."}', 'Taken.'],
  [404, '{"code":"NO_ROUTE","sentence":"There is none."}', 'does not know this command'],
])('an answer %i %s is a sentence', async (code, text, sentence) => {
  await expect(askDaemon(await daemon(code, text), { path: '/v1/status' }, daemonStatus)).rejects.toThrow(sentence);
});

test('the help names every room with commands', () => {
  let help = '';
  tresseCommand()
    .configureOutput({ writeOut: (text) => (help += text) })
    .outputHelp();
  for (const word of ['status', 'box init | pair | check | run', 'relay init | check | run', 'lab list | run'])
    expect(help).toContain(word);
});
