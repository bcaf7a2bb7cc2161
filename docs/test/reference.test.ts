/** docs/reference.md names every key there is, and its examples are accepted. */
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import * as numbers from '../../plan/src/numbers.ts';
import { boxConfig, readYaml, relayConfig, uplinkKinds } from '../../schema/src/index.ts';

const text = readFileSync(new URL('../reference.md', import.meta.url), 'utf8');
const schemas = { 'box.yaml': boxConfig, 'relay.yaml': relayConfig };
type File = keyof typeof schemas;

const section = (file: File): string => text.split(`### ${file}\n`)[1]?.split(/^##/mu)[0] ?? '';

const read = (file: File, yaml: string): string[] => {
  const reading = file === 'box.yaml' ? readYaml(file, yaml, boxConfig) : readYaml(file, yaml, relayConfig);
  return reading.ok ? [] : reading.sentences;
};

/** The keys a map takes, as the program itself tells whoever writes a wrong one. */
function keysOf(file: File, yaml: string): string[] {
  const told = read(file, yaml).find((sentence) => sentence.includes('unknown key'));
  return /accepted: (?<keys>[^)]+)\)/u.exec(told ?? '')?.groups?.['keys']?.split(', ') ?? [];
}

test.each(['box.yaml', 'relay.yaml'] as const)('the example of %s is accepted', (file) => {
  const example = /```yaml\n(?<yaml>[^`]+)```/u.exec(section(file))?.groups?.['yaml'] ?? '';
  expect(example).not.toBe('');
  expect(read(file, example)).toEqual([]);
});

test.each([
  ['box.yaml', 'nothing: 1', ''],
  ['box.yaml', 'uplinks: [{nothing: 1}]', 'uplinks[].'],
  ['box.yaml', 'lan: {nothing: 1}', 'lan.'],
  ['box.yaml', 'relay: {nothing: 1}', 'relay.'],
  ['relay.yaml', 'nothing: 1', ''],
  ['relay.yaml', 'listen: {nothing: 1}', 'listen.'],
  ['relay.yaml', 'boxes: [{nothing: 1}]', 'boxes[].'],
] as const)('every key of %s beside "%s" is documented', (file, yaml, prefix) => {
  const keys = keysOf(file, yaml);
  expect(keys.length).toBeGreaterThan(0);
  const documented = [...section(file).matchAll(/^\| `(?<key>[^`]+)`/gmu)].map((row) => row.groups?.['key'] ?? '');
  for (const key of keys) {
    const full = `${prefix}${key}`;
    expect(documented.some((one) => one === full || one.startsWith(`${full}.`) || one.startsWith(`${full}[]`))).toBe(
      true,
    );
  }
});

test('the example of a refusal is what the program says', () => {
  const yaml = 'uplinks:\n  - name: dsl\n    kind: adls\n';
  const said = read('box.yaml', yaml).find((sentence) => sentence.includes('adls'));
  const shown = /^box\.yaml:3:11 (?<sentence>.*)$/mu.exec(text)?.groups?.['sentence'];
  expect(said).toBe(`box.yaml:3:11 ${shown}`);
  for (const kind of uplinkKinds) expect(section('box.yaml')).toContain(`\`${kind}\``);
});

const hex = (value: number): string => `0x${value.toString(16)}`;

test('numbers are those of the plan', () => {
  const table = text.split('## Numbers that touch the outside')[1] ?? '';
  for (const number of [
    numbers.interceptPort,
    hex(numbers.interceptMark),
    hex(numbers.engineMark),
    hex(numbers.markMask),
    numbers.rulePriorityFirst,
    numbers.rulePriorityLast,
    numbers.interceptTable,
    numbers.uplinkTable(0),
    numbers.uplinkTable(15),
    numbers.lanLocalPriority,
    numbers.lanDirectPriority,
    numbers.routeProtocol,
    numbers.nftTable,
  ]) {
    expect(table).toContain(String(number));
  }
});
