import type { z } from 'zod';

import { describeKeys, type KeyDescription } from './key-description.ts';
import { yamlText } from './yaml-text.ts';

const columns = 110;

/**
 * A first configuration file: every top-level key with what the schema says of it and of the keys below as comments. A key in
 * `given` has that value; one that may be left out and is not given stands there as a comment with its example. `intro` is one
 * line. Returns YAML text.
 */
export function firstFile(schema: z.ZodType, intro: string, given: Readonly<Record<string, unknown>>): string {
  const keys = describeKeys(schema);
  const top = keys.filter((one) => !/[.[]/u.test(one.key));
  const parts = top.map((one) => {
    const below = keys.filter((k) => k.key.startsWith(`${one.key}.`) || k.key.startsWith(`${one.key}[].`));
    const about = [one, ...below].flatMap((key) => comment(key));
    return `${[...about, ...valueLines(one, given)].join('\n')}\n`;
  });
  return [`# ${intro}\n`, ...parts].join('\n');
}

function valueLines(key: KeyDescription, given: Readonly<Record<string, unknown>>): string[] {
  const value = key.key in given ? given[key.key] : key.example;
  const lines = yamlText({ [key.key]: value })
    .trimEnd()
    .split('\n');
  return key.key in given ? lines : lines.map((line) => `#${line}`);
}

/** Keys below their parent's, indented by their depth. */
function comment(key: KeyDescription): string[] {
  const depth = key.key.split('.').length - 1;
  const name = key.key.split('.').at(-1)?.replace('[]', '') ?? '';
  const indent = '  '.repeat(depth);
  const accepted = key.isMap ? '' : ` (${[key.value, ...defaultWords(key)].join('; ')})`;
  const words = `${name}: ${key.description}${accepted}`.replaceAll('`', '').split(' ');
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + word.length >= columns) {
      lines.push(line);
      line = '  ';
    }
    line += line.trim() === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((one) => `# ${indent}${one}`);
}

function defaultWords(key: KeyDescription): string[] {
  if (key.default === undefined) return key.required ? ['needed'] : [];
  return [`${yamlText(key.default).trim()} unless told`];
}
