import { expect, test } from 'vitest';

import { relayYaml } from '../../src/product/configuration.ts';
import { visitLines } from '../../src/report/visit-figures.ts';
import { publishedPort, shortVisit, visitStep } from '../../src/scenario/visit-step.ts';
import { limitChecks } from '../../src/step/visit.ts';

const step = visitStep.parse({
  kind: 'visit',
  port: 8080,
  bytes: '12 MB',
  limits: { ofLinesMin: 0.9, wholeMsMax: 500, answeredMin: 0.98 },
  short: { bytes: '3 MB', limits: { ofLinesMin: 0.6 } },
});
const none = { protocol: 'tcp', bytes: 0, ms: 0, ofLines: 0, sent: 0, answered: 0, seen: '' } as const;

test('what was seen is held against the limits; what was not seen does not hold', () => {
  const good = { ...none, bytes: 12e6, ms: 400, ofLines: 0.95, sent: 100, answered: 99 };
  expect(limitChecks(step, good, 'web').map((one) => [one.name, one.ok])).toEqual([
    ["web: share of the lines' rate", true],
    ['web: whole after, ms', true],
    ['web: share answered', true],
  ]);
  expect(limitChecks(step, none, 'web').map((one) => one.ok)).toEqual([false, false, false]);
});

test('the short form has its own bytes and limits', () => {
  expect(shortVisit(step)).toMatchObject({ bytes: 3e6, count: 50, limits: { ofLinesMin: 0.6 } });
});

test('the relay publishes the LAN host by the families it has', () => {
  const ports = [
    publishedPort.parse({ port: 8080 }),
    publishedPort.parse({ port: 5004, protocol: 'udp', from: ['192.0.2.0/24'] }),
  ];
  const { publish } = JSON.parse(relayYaml('PIN', ports, true)) as { publish: object[] };
  expect(publish).toEqual([
    { port: 8080, protocol: 'tcp', box: 'lab', to: ['192.168.77.2:80', '[2001:db8:77::2]:80'], from: [] },
    { port: 5004, protocol: 'udp', box: 'lab', to: ['192.168.77.2:7', '[2001:db8:77::2]:7'], from: ['192.0.2.0/24'] },
  ]);
  expect(relayYaml('PIN', ports, false)).not.toContain('2001');
});

test('a visit is told in words', () => {
  expect(visitLines({ ...none, bytes: 3e6, ms: 2_000, ofLines: 0.8, seen: '192.168.77.1' })).toEqual([
    '  3 MB in 2000 ms, 12.0 Mbit/s (80.0 % of the lines); the LAN host saw 192.168.77.1',
  ]);
  expect(visitLines({ ...none, protocol: 'udp', sent: 10 })).toEqual([
    '  0 of 10 datagrams answered; nobody got through',
  ]);
});
