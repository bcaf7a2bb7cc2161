/** The sentences docs/start.md helps with are those the software says. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');

/** All source, texts that are put together of several lines as one. */
const source = globSync('*/src/**/*.ts', { cwd: repository, exclude: ['node_modules/**'] })
  .map((file) => readFileSync(join(repository, file), 'utf8'))
  .join('\n')
  .replaceAll(/['"`] \+\n\s+['"`]/gu, '');

const table = readFileSync(join(repository, 'docs/start.md'), 'utf8').split('| sentence')[1] ?? '';
/** What stands in backquotes in the first column. */
const sentences = [...table.matchAll(/^\| (?<column>`[^|]*)\|/gmu)]
  .flatMap((row) => row.groups?.['column']?.split('`') ?? [])
  .filter((part) => /\w/u.test(part));

test('there are sentences', () => {
  expect(sentences.length).toBeGreaterThan(10);
});

test.each(sentences)('"%s" is in the source', (sentence) => {
  // What differs is a placeholder there.
  const pattern = sentence
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`))
    .join(String.raw`[^\n]*`);
  expect(source).toMatch(new RegExp(pattern, 'u'));
});
