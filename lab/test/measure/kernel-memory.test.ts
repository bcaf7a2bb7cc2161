import { expect, test } from 'vitest';

import { kernelMemory, sockstatOf, socketSlabBytes } from '../../src/measure/kernel-memory.ts';

const slabinfo = `slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
TCP                  100    156   2368   16    8 : tunables    0    0    0 : slabdata     12     12      0
UDP                  100    156   2368   16    8 : tunables    0    0    0 : slabdata     12     12      0
ext4_inode_cache   90000  90000   1096   32    8 : tunables    0    0    0 : slabdata   2812   2812      0
sock_inode_cache      10     20    832   16    4 : tunables    0    0    0 : slabdata      1      1      0
dentry            272644 272811    192   16    1 : tunables    0    0    0 : slabdata  12991  12991      0
`;

test('counts objects in use with their share of the pages, and dentries only of sockets', () => {
  expect(socketSlabBytes(slabinfo)).toBe(100 * 2_048 + 10 * 1_024 + 10 * 256);
});

test('sockets and the bytes in their queues', () => {
  const text = 'sockets: used 58\nTCP: inuse 1 orphan 0 tw 0 alloc 8 mem 498\nUDP: inuse 0 mem 0\n';
  expect(sockstatOf(text)).toEqual({ tcpSockets: 8, queueBytes: 498 * 4_096 });
});

test.runIf(process.getuid?.() === 0)('the kernel here has both', () => {
  expect(kernelMemory().slabBytes).toBeGreaterThan(0);
});
