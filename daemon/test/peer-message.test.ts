import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readPeerMessage, sayGoodbye } from '../src/index.ts';

test('a goodbye is read as it was said', async () => {
  const said: Uint8Array[] = [];
  await sayGoodbye({ tellPeers: (bytes) => said.push(bytes) }, 'the box stops');
  expect(said.map((bytes) => readPeerMessage(bytes))).toEqual([{ kind: 'bye', reason: 'the box stops' }]);
});

test('what is no message of ours is nothing, whatever it is', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => readPeerMessage(bytes) === undefined));
  for (const text of [
    '{}',
    '[]',
    'null',
    '{"kind":"later"}',
    '{"kind":"bye"}',
    `{"kind":"bye","reason":"${'x'.repeat(201)}"}`,
  ]) {
    expect(readPeerMessage(Buffer.from(text))).toBeUndefined();
  }
});
