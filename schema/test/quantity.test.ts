import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';

import { durationMs, rateBps, readYaml, shareRatio, sizeBytes } from '../src/index.ts';

const schema = z.strictObject({
  rate: rateBps.optional(),
  steps: z
    .array(
      z.discriminatedUnion('do', [
        z.strictObject({ do: z.literal('wait'), for: durationMs }),
        z.strictObject({ do: z.literal('download'), size: sizeBytes, loss: shareRatio.optional() }),
      ]),
    )
    .default([]),
});

const read = (text: string): unknown => {
  const reading = readYaml('s.yaml', text, schema);
  return reading.ok ? reading.value : reading.sentences;
};

test('numbers come with their units', () => {
  expect(
    read('rate: 6.0 Mbit/s\nsteps:\n  - {do: wait, for: 15 ms}\n  - {do: download, size: 64 MiB, loss: 1 %}\n'),
  ).toEqual({
    rate: 6e6,
    steps: [
      { do: 'wait', for: 15 },
      { do: 'download', size: 64 * 1024 * 1024, loss: 0.01 },
    ],
  });
});

test.each([
  ['rate: 100', 's.yaml:1:7 rate: write a number and its unit'],
  [
    'rate: 100 MB',
    's.yaml:1:7 rate: "100 MB" is not a number and its unit, as in "100 Mbit/s" (accepted: bit/s, kbit/s,',
  ],
  ['rate: -1 Mbit/s', 's.yaml:1:7 rate: "-1 Mbit/s" is not'],
  ['steps: [{do: wait, for: 2 d}]', 's.yaml:1:25 steps.0.for: "2 d" is not'],
  ['steps: [{do: dance}]', 's.yaml:1:14 steps.0.do: "dance" is not accepted (accepted: wait, download)'],
  ['steps: [{for: 2 s}]', 's.yaml:1:9 steps.0.do: this key is missing (accepted: wait, download)'],
  ['steps: [{do: wait, for: 2 s, size: 1 B}]', 's.yaml:1:30 steps.0.size: unknown key (accepted: do, for)'],
  ['steps: [{do: download, size: 1 B, loss: 101 %}]', 's.yaml:1:41 steps.0.loss: a share is at most 100 %'],
])('%s is refused', (text, sentence) => {
  expect(read(text)).toEqual([expect.stringContaining(sentence)]);
});

test('whatever is written with a unit is read in the base unit', () => {
  const units = fc.constantFrom(['bit/s', 1], ['kbit/s', 1e3], ['Mbit/s', 1e6], ['Gbit/s', 1e9]) as fc.Arbitrary<
    [string, number]
  >;
  fc.assert(
    fc.property(fc.nat(), units, (count, [unit, factor]) => {
      expect(read(`rate: ${count} ${unit}`)).toMatchObject({ rate: count * factor });
      expect(read(`rate: ${count}${unit}`)).toMatchObject({ rate: count * factor });
    }),
  );
});
