import type { StateReader } from '@tresse/daemon';
import { UserError } from '@tresse/kit';

/**
 * What a file of the state directory holds, by its schema; `none` where there is no such file. Throws UserError `REGISTER_BROKEN`, whose
 * sentence ends in `remedy`, and `STATE_UNREADABLE`.
 */
export function readStateFile<T>(
  directory: StateReader,
  name: string,
  schema: { parse: (value: unknown) => T },
  none: T,
  remedy: string,
): T {
  const text = directory.read(name);
  if (text === undefined) return none;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const sentence = `${directory.file(name)} is damaged: put it back from a copy, or ${remedy}.`;
    throw new UserError('REGISTER_BROKEN', sentence, error);
  }
}
