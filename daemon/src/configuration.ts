import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { sentenceOf, UserError } from '@tresse/kit';
import { readYaml } from '@tresse/schema';

type SchemaOf<T> = Parameters<typeof readYaml<T>>[2];

/** Reads a configuration file. Throws UserError `CONFIG_MISSING`, or `CONFIG_INVALID` with one sentence a line. */
export function readConfiguration<T>(path: string, schema: SchemaOf<T>, initCommand: string): T {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      'CONFIG_MISSING',
      `The configuration ${path} cannot be read (${sentenceOf(error)}): make one by "${initCommand}", or name another by --config.`,
      error,
    );
  }
  const reading = readYaml(path, text, schema);
  if (reading.ok) return reading.value;
  throw new UserError('CONFIG_INVALID', reading.sentences.join('\n'));
}

/** Writes a first configuration file, unless there is one: a person's file is never touched. Returns whether it was written. */
export function writeFirstConfiguration(path: string, text: string): boolean {
  if (existsSync(path)) return false;
  try {
    writeFileSync(path, text, { mode: 0o644, flag: 'wx' });
  } catch (error) {
    throw new UserError('CONFIG_UNWRITABLE', `${path} cannot be written (${sentenceOf(error)}).`, error);
  }
  return true;
}
