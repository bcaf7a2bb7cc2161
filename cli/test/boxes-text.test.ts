import { expect, test } from 'vitest';

import { boxesText } from '../src/boxes-text.ts';

const pin = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

test('who is there since when, who was last seen when and from where, stands in columns', () => {
  const text = boxesText({
    nowMs: 100_000_000,
    boxes: [
      { name: 'office', pin, origin: 'configured', connected: false },
      {
        name: 'home',
        pin,
        origin: 'paired',
        connected: true,
        connectedSinceMs: 100_000_000 - 65_000,
        address: '192.0.2.1',
      },
      { name: 'cabin', pin, origin: 'paired', connected: false, lastSeenMs: 13_600_000, address: '2001:db8::1' },
    ],
  });
  expect(text.split('\n')).toEqual([
    `NAME    PIN${' '.repeat(42)}SEEN                     FROM`,
    `office  ${pin}  never                    -            in relay.yaml`,
    `home    ${pin}  connected for 1 min 5 s  192.0.2.1`,
    `cabin   ${pin}  1 d ago                  2001:db8::1`,
    '',
  ]);
});

test('a relay without boxes says how to get one', () => {
  expect(boxesText({ nowMs: 0, boxes: [] })).toContain('tresse relay pair');
});
