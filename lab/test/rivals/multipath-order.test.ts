import { expect, test } from 'vitest';

import { multipathOrder } from '../../src/rivals/measure-rivals.ts';
import { parseScenario, findScenario } from '../../src/scenario/scenario-file.ts';

const order = (steps: string): ReturnType<typeof multipathOrder> =>
  multipathOrder(
    parseScenario(
      'x.yaml',
      `{ title: t, lines: [{ name: a, kind: adsl, down: 8 Mbit/s, up: 1 Mbit/s }], steps: [${steps}] }`,
    ).steps,
  );

test('the rival goes the ways the steps go', () => {
  expect(order('{ kind: download, bytes: 1 MB }')).toEqual({ down: { bytes: undefined } });
  expect(order('{ kind: upload, bytes: 1 MB }')).toEqual({ up: { bytes: undefined } });
  expect(order('{ kind: request, bytes: 1 kB }, { kind: ping, count: 1 }')).toEqual({});
});

test('where whole times are compared it carries the very same bytes', () => {
  const wanted = order(
    '{ kind: download, bytes: 1 MB }, { kind: download, bytes: 7 MB, limits: { wholeSecondsOfMptcpMax: 1 } }',
  );
  expect(wanted).toEqual({ down: { bytes: 7_000_000 } });
  expect(multipathOrder(findScenario('household').scenario.steps).down).toEqual({ bytes: 100_000_000 });
});
