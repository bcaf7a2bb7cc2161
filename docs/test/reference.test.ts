/** docs/reference says what the program does: keys and examples by the schemas, sentences and numbers by the program. */
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import * as numbers from '../../plan/src/numbers.ts';
import { boxConfig, describeKeys, readYaml, relayConfig, uplinkKinds, yamlText } from '../../schema/src/index.ts';
import { referencePages } from '../../tools/reference-page.ts';

const readReference = (file: string): string => readFileSync(new URL(`../reference/${file}`, import.meta.url), 'utf8');
const text = readReference('README.md');
const pages = referencePages();

test.each(Object.keys(pages))('%s is what the schema says: if not, run "node tools/reference.ts"', (file) => {
  expect(readReference(file)).toBe(pages[file]);
});

const files = [
  ['box.yaml', boxConfig],
  ['relay.yaml', relayConfig],
] as const;

const faults = (file: string, yaml: string, schema: (typeof files)[number][1]): string[] => {
  const reading = schema === boxConfig ? readYaml(file, yaml, boxConfig) : readYaml(file, yaml, relayConfig);
  return reading.ok ? [] : reading.sentences;
};

test.each(files)('every key of %s has words and an example', (_, schema) => {
  const bare = describeKeys(schema).filter(
    (one) =>
      one.description === '' || one.value === 'text' || one.example === undefined || /undefined/u.test(one.value),
  );
  expect(bare).toEqual([]);
});

test.each(files)('the examples of %s are accepted, together and one by one', (file, schema) => {
  const example = /```yaml\n(?<yaml>[^`]+)```/u.exec(pages[`${file}.md`] ?? '')?.groups?.['yaml'] ?? '';
  expect(example).not.toBe('');
  expect(faults(file, example, schema)).toEqual([]);
  for (const { key, example: value } of describeKeys(schema)) {
    // Put where the key stands, beside nothing: what is wrong then lies elsewhere.
    const nested = key.split('.').reduceRight<unknown>((inner, step) => {
      return step.endsWith('[]') ? { [step.slice(0, -2)]: [inner] } : { [step]: inner };
    }, value);
    const place = key.replaceAll('[]', '.0');
    expect(faults(file, yamlText(nested), schema).filter((one) => one.includes(` ${place}`))).toEqual([]);
  }
});

test('the example of a refusal is what the program says', () => {
  const yaml = 'uplinks:\n  - name: dsl\n    kind: adls\n';
  const said = faults('box.yaml', yaml, boxConfig).find((sentence) => sentence.includes('adls'));
  const shown = /^box\.yaml:3:11 (?<sentence>.*)$/mu.exec(text)?.groups?.['sentence'];
  expect(said).toBe(`box.yaml:3:11 ${shown}`);
  for (const kind of uplinkKinds) expect(pages['box.yaml.md']).toContain(`\`${kind}\``);
});

const hex = (value: number): string => `0x${value.toString(16)}`;

test('numbers are those of the plan', () => {
  const table = text.split('## Numbers that touch the outside')[1] ?? '';
  for (const number of [
    numbers.interceptPort,
    hex(numbers.interceptMark),
    hex(numbers.engineMark),
    hex(numbers.uplinkMark(0)),
    hex(numbers.uplinkMark(15)),
    hex(numbers.markMask),
    numbers.rulePriorityFirst,
    numbers.rulePriorityLast,
    numbers.interceptTable,
    numbers.uplinkTable(0),
    numbers.uplinkTable(15),
    numbers.lanLocalPriority,
    numbers.directPriority,
    numbers.lanDirectPriority,
    numbers.routeProtocol,
    numbers.nftTable,
  ]) {
    expect(table).toContain(String(number));
  }
});
