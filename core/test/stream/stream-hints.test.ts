import { expect, test } from 'vitest';

import { classOf } from '../../src/stream/stream-hints.ts';
import { StreamClass } from '../../src/wire/frame.ts';

test.each([
  ['a web page', 443, 0, StreamClass.interactive],
  ['a shell', 22, 0, StreamClass.realtime],
  ['a name asked for', 853, 0, StreamClass.realtime],
  ['a backup by rsync', 873, 0, StreamClass.bulk],
  ['a call by its mark', 443, 46, StreamClass.realtime],
  ['a download that says it can wait', 443, 1, StreamClass.bulk],
  ['a copy over SSH that says so', 22, 8, StreamClass.bulk],
  ['rsync that a person waits for', 873, 18, StreamClass.interactive],
])('%s', (_what, port, dscp, klass) => {
  expect(classOf(port, dscp)).toBe(klass);
});
