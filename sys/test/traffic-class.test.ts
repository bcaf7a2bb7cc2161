import { expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { native } from '../src/ffi.ts';
import { wordSlab } from '../src/slab.ts';
import { accept, connectStart, tcpSocket } from '../src/socket.ts';
import { receivedTrafficClass, setReceiveTrafficClass } from '../src/traffic-class.ts';
import { eventually, listening } from './connection.ts';

const setsockopt: (fd: number, level: number, option: number, value: number, length: number) => number = native(
  'int setsockopt(int, int, int, uintptr_t, int)',
);
const word = wordSlab(1);

/** What the accepted end says of a client that marks its packets so. */
async function told(family: 4 | 6, trafficClass: number, asked: boolean): Promise<number> {
  const listener = listening(family);
  if (asked) setReceiveTrafficClass(listener.fd, family);
  const near = tcpSocket(family);
  word.words[0] = trafficClass;
  // IP_TOS, IPV6_TCLASS.
  expect(setsockopt(near, family === 4 ? 0 : 41, family === 4 ? 1 : 67, word.address, 4)).toBe(0);
  connectStart(near, listener.address, listener.port);
  const far = await eventually(() => accept(listener.fd));
  const seen = receivedTrafficClass(far, family);
  for (const fd of [near, far, listener.fd]) closeFd(fd);
  return seen;
}

test.each([
  [4, 0],
  [4, 0xb8],
  [4, 0x20],
  [6, 0],
  [6, 0xb8],
] as const)('IPv%d: a connection tells how its client marks its packets: %d', async (family, trafficClass) => {
  expect(await told(family, trafficClass, true)).toBe(trafficClass);
});

test('where nobody asked for it, nothing is known', async () => {
  expect(await told(4, 0xb8, false)).toBe(0);
});

test('what is no connection has none', () => {
  expect(receivedTrafficClass(-1, 4)).toBe(0);
});
