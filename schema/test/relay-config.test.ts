import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readYaml, relayConfig } from '../src/index.ts';

const sentences = (text: string): string[] => {
  const reading = readYaml('relay.yaml', text, relayConfig);
  return reading.ok ? [] : reading.sentences;
};

const pin = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

test('two boxes with one pin, a network with host bits, a key in a list', () => {
  const text = `boxes:
  - {name: a, pin: ${pin}}
  - {name: b, pin: ${pin}}
`;
  expect(sentences(text)).toEqual([`relay.yaml:3:20 boxes.1.pin: two boxes have the pin "${pin}"`]);
  expect(sentences('allowPrivate: [10.20.0.1/16]\n')).toEqual([
    'relay.yaml:1:16 allowPrivate.0: bits are set behind the prefix (write the network, as in 192.168.7.0/24, not an address in it)',
  ]);
  expect(sentences(`boxes:\n  - name: a\n    pin: ${pin}\n    cost: 3\n`)).toEqual([
    'relay.yaml:4:5 boxes.0.cost: unknown key (accepted: name, pin)',
  ]);
});

test('an empty relay.yaml is not one; one with only boxes is', () => {
  expect(sentences('')).toHaveLength(1);
  expect(sentences('boxes: []\n')).toEqual([]);
});

test('no text makes the reader throw, and every fault has its place', () => {
  const words = fc.constantFrom(
    'boxes',
    'name',
    'pin',
    'listen',
    'port',
    ':',
    ': ',
    '\n',
    '\n  ',
    '- ',
    '[',
    ']',
    '{',
    '&a',
    '*a',
    '!!x',
    '7443',
    '"',
    '#',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 20 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (given) => {
      for (const sentence of sentences(given)) expect(sentence).toMatch(/^relay\.yaml:\d+:\d+[ :]/u);
    }),
  );
});
