import { expect, test } from 'vitest';

import { traceFigures } from '../../src/step/probe.ts';

const hub = (host: string, lossPercent = 0): object => ({ host, 'Loss%': lossPercent, Avg: 12.5 });
const said = (...hubs: object[]): string => JSON.stringify({ report: { mtr: { src: 'x' }, hubs } });

test('the way ends at the host that was meant', () => {
  const text = said(hub('10.0.0.1'), hub('10.0.0.2', 50), hub('192.0.2.1'), hub('192.0.2.1'));
  expect(traceFigures(text, '192.0.2.1')).toEqual({
    asked: 1,
    answered: 1,
    rttMs: 12.5,
    hops: ['10.0.0.1', '10.0.0.2', '192.0.2.1'],
  });
});

test('a router that says nothing, and a host that is not reached, are seen', () => {
  expect(traceFigures(said(hub('???', 100), hub('192.0.2.1')), '192.0.2.1').hops).toEqual(['?', '192.0.2.1']);
  expect(traceFigures(said(hub('10.0.0.1')), '192.0.2.1')).toMatchObject({ answered: 0, rttMs: null });
});

test.each(['', 'mtr: error', '{}'])('what is no report is told: %j', (text) => {
  expect(() => traceFigures(text, '192.0.2.1')).toThrow('mtr told of no way');
});
