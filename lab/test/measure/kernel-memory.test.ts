import { expect, test } from 'vitest';

import { kernelMemory, socketQueuesOf, socketSlabBytes, socketsOf } from '../../src/measure/kernel-memory.ts';

const slabinfo = `slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
TCP                  100    156   2368   16    8 : tunables    0    0    0 : slabdata     12     12      0
UDP                  100    156   2368   16    8 : tunables    0    0    0 : slabdata     12     12      0
ext4_inode_cache   90000  90000   1096   32    8 : tunables    0    0    0 : slabdata   2812   2812      0
sock_inode_cache      10     20    832   16    4 : tunables    0    0    0 : slabdata      1      1      0
kmalloc-128           10     10    128   32    1 : tunables    0    0    0 : slabdata      1      1      0
kmalloc-cg-512        10     10    512    8    1 : tunables    0    0    0 : slabdata      1      1      0
skbuff_head_cache     10     10    256   16    1 : tunables    0    0    0 : slabdata      1      1      0
dentry            272644 272811    192   16    1 : tunables    0    0    0 : slabdata  12991  12991      0
`;

test('counts objects in use with their share of the pages, and dentries only of sockets', () => {
  expect(socketSlabBytes(slabinfo)).toBe(100 * 2_048 + 10 * 1_024 + 10 * 128 + 10 * 256);
});

test('TCP sockets of all namespaces', () => {
  expect(socketsOf('sockets: used 58\nTCP: inuse 1 orphan 0 tw 0 alloc 8 mem 498\nUDP: inuse 0 mem 0\n')).toBe(8);
});

test('what stands in the queues of sockets, and what is kept ready for more', () => {
  const text = `LISTEN 0 64 127.0.0.1:33569 0.0.0.0:* skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0)
ESTAB 0 0 127.0.0.1:33087 127.0.0.1:9 skmem:(r100,rb131072,t7,tb16384,f20,w3,o4,bl5,d9)
TIME-WAIT 0 0 127.0.0.1:45347 127.0.0.1:9
`;
  expect(socketQueuesOf(text)).toEqual({ sockets: 2, queueBytes: 132 });
});

test.runIf(process.getuid?.() === 0)('the kernel here has both', () => {
  expect(kernelMemory().slabBytes).toBeGreaterThan(0);
});
