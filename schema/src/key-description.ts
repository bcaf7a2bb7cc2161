import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** One key of a configuration file, as a person is told of it. */
export interface KeyDescription {
  /** With its parents: `uplinks[].kind`, where `[]` is each entry of a list. */
  readonly key: string;
  readonly description: string;
  /** What is accepted, in words; code in backquotes. */
  readonly value: string;
  /** What holds where the key is left out; undefined where there is nothing such. */
  readonly default: unknown;
  /** Whether its parent needs it. */
  readonly required: boolean;
  readonly example: unknown;
  /** Keys below this one have descriptions of their own. */
  readonly isMap: boolean;
}

/**
 * Every key a configuration's schema accepts, parents before children, in the schema's order. The words are those the schema
 * carries (`.meta({ description, title, example })`; `title` says a type in words); what it enforces is told from itself.
 */
export function describeKeys(schema: z.ZodType): KeyDescription[] {
  return keysBelow(z.toJSONSchema(schema, { io: 'input' }), '');
}

function keysBelow(map: JsonSchema, prefix: string): KeyDescription[] {
  return Object.entries(map.properties ?? {}).flatMap(([name, given]) => {
    const schema = mapped(given);
    const key = `${prefix}${name}`;
    const items = itemsOf(schema);
    const below = items?.properties ? keysBelow(items, `${key}[].`) : keysBelow(schema, `${key}.`);
    const own: KeyDescription = {
      key,
      description: schema.description ?? '',
      value: wordsOf(schema),
      default: schema.properties ? undefined : schema.default,
      required: map.required?.includes(name) ?? false,
      example: exampleOf(schema),
      isMap: below.length > 0,
    };
    return [own].concat(below);
  });
}

function mapped(schema: boolean | JsonSchema): JsonSchema {
  return typeof schema === 'boolean' ? {} : schema;
}

function itemsOf(schema: JsonSchema): JsonSchema | undefined {
  return schema.items === undefined || Array.isArray(schema.items) ? undefined : mapped(schema.items);
}

function wordsOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.anyOf) return schema.anyOf.map((one) => wordsOf(one)).join(', or ');
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return `one of ${schema.enum.map((one) => code(one)).join(', ')}`;
  if (schema.properties) return 'map of the keys below';
  const items = itemsOf(schema);
  if (items) return `list of ${counted(schema)}; each: ${items.properties ? 'map of the keys below' : wordsOf(items)}`;
  if (schema.type === 'boolean') return '`true` or `false`';
  if (schema.type === 'integer' || schema.type === 'number') return `${schema.minimum} to ${schema.maximum}`;
  return 'text';
}

function counted({ minItems: least = 0, maxItems: most }: JsonSchema): string {
  if (most !== undefined) return `${least} to ${most}`;
  return least === 0 ? 'any number' : `at least ${least}`;
}

const code = (value: unknown): string => `\`${String(value)}\``;

/** The schema's own example, or one put together from those of its parts; undefined where there is none. */
function exampleOf(schema: JsonSchema): unknown {
  if (schema['example'] !== undefined) return schema['example'];
  const items = itemsOf(schema);
  if (items) {
    const one = exampleOf(items);
    return one === undefined ? undefined : [one];
  }
  if (!schema.properties) return undefined;
  return Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, exampleOf(mapped(one))]));
}
