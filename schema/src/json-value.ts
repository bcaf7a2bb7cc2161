import type { z } from 'zod';

import { isolate, keysAt, sentenceOfIssue } from './issue.ts';
import type { Reading } from './yaml.ts';

/** Checks a JSON value against a schema. Returns the value, or a sentence for each fault, as `validMs: 3 is out of range`. */
export function readJsonValue<T>(value: unknown, schema: z.ZodType<T>): Reading<T> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  const sentences = parsed.error.issues
    .flatMap((issue) => isolate(issue))
    .map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys.join(', ')] : issue.path;
      const said = sentenceOfIssue(issue, keysAt(schema, issue.path, value));
      return path.length === 0 ? said : `${path.map(String).join('.')}: ${said}`;
    });
  return { ok: false, sentences };
}
