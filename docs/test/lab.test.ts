/** The example of docs/lab.md is a scenario, and the scenarios and limits there are named. */
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { parseScenario } from '../../lab/src/scenario/scenario-file.ts';

const text = readFileSync(new URL('../lab.md', import.meta.url), 'utf8');
const example = /```yaml\n(?<yaml>[^`]+)```/u.exec(text)?.groups?.['yaml'] ?? '';

test('the example is accepted', () => {
  expect(parseScenario('example.yaml', example).steps.map((step) => step.kind)).toEqual([
    'download',
    'request',
    'ping',
  ]);
});

test('every limit there is stands in the text', () => {
  const wrong = example.replace('{ stallMsMax: 250 }', '{ nothing: 1 }');
  const told = (): unknown => parseScenario('example.yaml', wrong);
  expect(told).toThrow(/unknown key/u);
  const accepted = ((): string => {
    try {
      told();
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  })();
  const limits = /unknown key \(accepted: (?<keys>[^)]+)\)/u.exec(accepted)?.groups?.['keys']?.split(', ') ?? [];
  expect(limits).toContain('stallMsMax');
  for (const limit of limits) expect(text).toContain(`\`${limit}\``);
});
