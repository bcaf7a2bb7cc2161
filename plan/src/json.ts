/** The objects of a JSON list; whatever is not one is left out, and what is no list is empty. */
export function list(json: unknown): Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(json)) return [];
  const entries: readonly unknown[] = json;
  return entries.filter((entry) => entry !== null && typeof entry === 'object') as Record<string, unknown>[];
}

/** Whether a JSON value is text. */
export const isText = (value: unknown): value is string => typeof value === 'string';

/** Whether a JSON value is a number. */
export const isNumber = (value: unknown): value is number => typeof value === 'number';
