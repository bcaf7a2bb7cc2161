import { expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { EAGAIN } from '../src/errno.ts';
import { inNetns } from '../src/netns.ts';
import { rawSocket } from '../src/raw-socket.ts';
import { run } from '../src/run.ts';
import { nativeSlab } from '../src/slab.ts';
import { endpoint, receiveFrom, sendTo } from '../src/udp.ts';
import { withNetns } from './namespace.ts';

test.each([
  [4, '127.0.0.1', 20],
  [6, '::1', 0],
] as const)(
  'IPv%i: packets of a protocol come and go; behind their header where the kernel leaves it there',
  (family, self, header) =>
    withNetns(async (netns) => {
      await run(['ip', '-n', netns, 'link', 'set', 'lo', 'up']);
      const memory = nativeSlab(256);
      const [esp, other] = inNetns(netns, () => [rawSocket(family, 50), rawSocket(family, 253)] as const);
      memory.bytes.set([1, 2, 3]);
      expect(sendTo(esp, memory.address, 3, endpoint(self))).toBe(3);
      memory.bytes.fill(0);
      const from = endpoint();
      expect(receiveFrom(esp, memory.address, 256, from)).toBe(header + 3);
      expect([...memory.bytes.subarray(header, header + 3)]).toEqual([1, 2, 3]);
      expect(from.nameBytes).toBeGreaterThan(0);
      expect(receiveFrom(other, memory.address, 256, from)).toBe(-EAGAIN);
      closeFd(esp);
      closeFd(other);
    }),
);
