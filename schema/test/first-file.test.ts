import { expect, test } from 'vitest';
import { z } from 'zod';

import { describeKeys, firstFile, readYaml } from '../src/index.ts';

const schema = z.strictObject({
  lines: z
    .array(
      z.strictObject({
        name: z.string().meta({ title: 'a name', description: 'What it is called.', example: 'one' }),
        kind: z.enum(['a', 'b']).default('a').meta({ description: 'One of `two`.', example: 'b' }),
      }),
    )
    .min(1)
    .max(3)
    .meta({ description: 'The lines.' }),
  port: z.int().min(1).max(9).default(7).meta({ description: 'Where.', example: 8 }),
  far: z
    .strictObject({ on: z.boolean().meta({ description: 'Whether.', example: true }) })
    .optional()
    .meta({
      description: 'The other end.',
    }),
});

test('keys are told with their place, what they accept, default and example', () => {
  expect(describeKeys(schema).map((one) => [one.key, one.value, one.default, one.required, one.example])).toEqual([
    ['lines', 'list of 1 to 3; each: map of the keys below', undefined, true, [{ name: 'one', kind: 'b' }]],
    ['lines[].name', 'a name', undefined, true, 'one'],
    ['lines[].kind', 'one of `a`, `b`', 'a', false, 'b'],
    ['port', '1 to 9', 7, false, 8],
    ['far', 'map of the keys below', undefined, false, { on: true }],
    ['far.on', '`true` or `false`', undefined, true, true],
  ]);
});

test('a first file has what is given, and the rest as comments with an example', () => {
  const text = firstFile(schema, 'What it does.', { lines: [{ name: 'x' }] });
  expect(text).toMatchInlineSnapshot(`
    "# What it does.

    # lines: The lines.
    #   name: What it is called. (a name; needed)
    #   kind: One of two. (one of a, b; a unless told)
    lines:
      - name: x

    # port: Where. (1 to 9; 7 unless told)
    #port: 8

    # far: The other end.
    #   on: Whether. (true or false; needed)
    #far:
    #  on: true
    "
  `);
  expect(readYaml('x.yaml', text, schema)).toEqual({ ok: true, value: { lines: [{ name: 'x', kind: 'a' }], port: 7 } });
  // An even number of blanks: an example. An odd one: words.
  const all = text.replaceAll(/^#(?=(?: {2})*\S)/gmu, '');
  expect(readYaml('x.yaml', all, schema)).toMatchObject({ ok: true, value: { port: 8, far: { on: true } } });
});
