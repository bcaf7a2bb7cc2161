import type { z } from 'zod';

type Issue = z.core.$ZodIssue;
type Definition = z.core.$ZodTypes['_zod']['def'];

const definitionOf = (type: z.core.$ZodType): Definition => (type as unknown as { def: Definition }).def;

/**
 * The issues a person should hear of for one issue found: of a union none of whose branches fits, only what is wrong in the
 * branch that fits best (the others were not meant).
 */
export function isolate(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const plain = alternatives(issue);
  if (plain !== undefined) return [{ ...issue, code: 'custom', message: plain }];
  const best = issue.errors.toSorted((a, b) => weight(b) - weight(a))[0] ?? [];
  return best.flatMap((inner) => isolate(Object.assign({}, inner, { path: [...issue.path, ...inner.path] })));
}

/** A union of plain values, such as `auto` or an address: what is wrong, and the words taken too. */
function alternatives(issue: z.core.$ZodIssueInvalidUnion): string | undefined {
  const all = issue.errors.flat();
  if (all.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys')) return undefined;
  const words = all.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : []));
  const other = all.find((inner) => inner.code !== 'invalid_value');
  if (words.length === 0 || other === undefined) return undefined;
  return `${sentenceOfIssue({ ...other, input: issue.input } as Issue, [])}, nor ${words.join(', ')}`;
}

/** A branch fits the better, the deeper inside it the first fault lies and the fewer faults it has. */
function weight(issues: readonly Issue[]): number {
  const depth = Math.min(...issues.map((i) => i.path.length + (i.code === 'unrecognized_keys' ? 1 : 0)));
  return depth * 100 - issues.length;
}

/** One issue as a sentence without place; `keys` are those the map at its path accepts. */
export function sentenceOfIssue(issue: Issue, keys: readonly string[]): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown key (accepted: ${keys.join(', ')})`;
    case 'invalid_value':
      return `${told(issue.input)} (accepted: ${issue.values.map(String).join(', ')})`;
    case 'invalid_type': {
      // The schema's own words, where it has some, say more than the type.
      const own = issue.message.startsWith('Invalid input') ? `expected ${article(issue.expected)}` : issue.message;
      return issue.input === undefined ? `this key is missing (${own})` : `${own}, got ${shown(issue.input)}`;
    }
    case 'invalid_union': {
      const options: unknown = 'options' in issue ? issue.options : undefined;
      if (!Array.isArray(options)) return issue.message;
      return `${told(child(issue.input, issue.discriminator ?? ''))} (accepted: ${options.map(String).join(', ')})`;
    }
    case 'too_small':
      return bound(issue.origin, 'at least', Number(issue.minimum), issue.input);
    case 'too_big':
      return bound(issue.origin, 'at most', Number(issue.maximum), issue.input);
    case 'invalid_format':
      return `${shown(issue.input)}: ${issue.message}`;
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'not_multiple_of':
    default:
      return issue.message;
  }
}

function told(input: unknown): string {
  return input === undefined ? 'this key is missing' : `${shown(input)} is not accepted`;
}

function bound(origin: string, word: string, limit: number, input: unknown): string {
  if (origin === 'array') return `needs ${word} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return `needs ${word} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  return `${shown(input)} is out of range (${word} ${limit})`;
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of keys',
  record: 'a map of keys',
  array: 'a list',
};

function article(expected: string): string {
  return nouns[expected] ?? expected;
}

function shown(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a map of keys';
  if (typeof input === 'string') return JSON.stringify(input.length > 60 ? `${input.slice(0, 60)}…` : input);
  return typeof input === 'number' || typeof input === 'boolean' ? String(input) : `a ${typeof input}`;
}

/** The keys which the schema accepts in the map at `path` of `data`; empty where there is no map of fixed keys. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[], data: unknown): string[] {
  const found = descend(schema, path, data);
  return [...new Set(found)];
}

function descend(type: z.core.$ZodType, path: readonly PropertyKey[], data: unknown): string[] {
  const def = definitionOf(type);
  const [step, ...rest] = path;
  if ('innerType' in def) return descend(def.innerType, path, data);
  if (def.type === 'pipe') return descend(def.in, path, data);
  if (def.type === 'union') return branches(def, data).flatMap((option) => descend(option, path, data));
  if (def.type === 'object') {
    if (step === undefined) return Object.keys(def.shape);
    const inner = def.shape[String(step)];
    return inner === undefined ? [] : descend(inner, rest, child(data, step));
  }
  if (step === undefined) return [];
  if (def.type === 'array') return descend(def.element, rest, child(data, step));
  return def.type === 'record' ? descend(def.valueType, rest, child(data, step)) : [];
}

/** The branches of a union the data may mean: with a discriminator, only the one it names. */
function branches(def: z.core.$ZodUnionDef, data: unknown): z.core.$ZodType[] {
  const discriminator: unknown = 'discriminator' in def ? def.discriminator : undefined;
  if (typeof discriminator !== 'string') return [...def.options];
  const said = child(data, discriminator);
  return def.options.filter((option) => {
    const inner = definitionOf(option);
    const tag = inner.type === 'object' ? inner.shape[discriminator] : undefined;
    const meant = tag && definitionOf(tag);
    return meant?.type !== 'literal' || meant.values.some((value) => value === said);
  });
}

function child(data: unknown, step: PropertyKey): unknown {
  return data !== null && typeof data === 'object' ? (data as Record<PropertyKey, unknown>)[step] : undefined;
}
