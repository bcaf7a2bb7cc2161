import { PassThrough } from 'node:stream';

import { PeerError, UserError } from '@tresse/kit';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';

import { encodeFrame, readFrame } from '../src/hello-frame.ts';
import { runMain, softwareVersion } from '../src/index.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

test.each([
  [new UserError('X', 'Mend this.'), 2, 'Mend this.\n'],
  [new PeerError('X', 'The peer is odd.'), 1, 'The peer is odd.\n'],
])('a failure is one sentence and a status', async (failure, code, sentence) => {
  const said = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  await runMain(() => Promise.reject(failure));
  expect(process.exitCode).toBe(code);
  expect(said.mock.calls.map(([text]) => text)).toEqual([sentence]);
});

test('a bug is shown with its stack', async () => {
  const said = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  await runMain(() => Promise.reject(new TypeError('oops')));
  expect(process.exitCode).toBe(1);
  expect(String(said.mock.calls[0]?.[0])).toMatch(/TypeError: oops\n +at /u);
});

test('the version is that of the package', () => {
  expect(softwareVersion()).toMatch(/^\d+\.\d+\.\d+$/u);
});

test('a message survives every cut into pieces, and what follows it is not looked at', async () => {
  const message = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify({ value })));
  await fc.assert(
    fc.asyncProperty(message, fc.uint8Array(), fc.array(fc.nat(40)), async (given, rest, cuts) => {
      const stream = new PassThrough();
      const read = readFrame(stream);
      let bytes = Buffer.concat([encodeFrame(given), rest]);
      for (const cut of cuts) {
        stream.write(bytes.subarray(0, cut));
        bytes = bytes.subarray(cut);
      }
      stream.write(bytes);
      expect(await read).toEqual(given);
      stream.destroy();
    }),
  );
});

test('whatever comes, a reader ends with a message or a sentence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
      const stream = new PassThrough();
      const read = readFrame(stream);
      stream.end(bytes);
      await read.catch((error: unknown) => expect(error).toBeInstanceOf(PeerError));
    }),
  );
});
