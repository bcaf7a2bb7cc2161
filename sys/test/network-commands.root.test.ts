import { describe, expect, test } from 'vitest';

import { ip, ipBatch, nftApply, nftList, nftListIn } from '../src/network-commands.ts';
import { withNetns } from './namespace.ts';

describe('ip', () => {
  test('asks and changes in a namespace', () =>
    withNetns(async (name) => {
      expect(await ip('-n', name, 'link', 'set', 'lo', 'up')).toEqual([]);
      const links = await ip('-n', name, 'link', 'show');
      expect(links).toEqual([
        expect.objectContaining({ ifname: 'lo', flags: expect.arrayContaining(['UP']) as unknown }),
      ]);
      expect(await ip('-n', name, 'rule', 'show')).toContainEqual(expect.objectContaining({ priority: 32_766 }));
    }));

  test('a batch goes in order and names what failed', () =>
    withNetns(async (netns) => {
      await ipBatch(['link set lo up', 'addr add 10.98.0.1/32 dev lo'], { netns });
      expect(JSON.stringify(await ip('-n', netns, 'addr', 'show', 'lo'))).toContain('10.98.0.1');
      await expect(
        ipBatch(['link set lo down', 'route add 10.95.0.0/24 via 10.94.0.1'], { netns }),
      ).rejects.toMatchObject({
        failure: 'status',
        stderr: expect.stringContaining('-:2') as unknown,
      });
    }));

  test('what the kernel refuses', async () => {
    await expect(ip('link', 'show', 'tsynosuch')).rejects.toMatchObject({
      failure: 'status',
      exitCode: 1,
      stderr: expect.stringContaining('does not exist') as unknown,
    });
  });
});

describe('nft', () => {
  test('applies all or nothing and lists what is', () =>
    withNetns(async (netns) => {
      const options = { netns };
      await nftApply(
        'table inet tsy { chain pre { type filter hook prerouting priority mangle; tcp dport 1 accept; }; }',
        options,
      );
      const objects = await nftListIn(options, 'table', 'inet', 'tsy');
      expect(objects.map((o) => Object.keys(o as object)[0])).toEqual(['table', 'chain', 'rule']);
      await expect(nftApply('delete table inet tsy\nadd rule inet other x accept\n', options)).rejects.toMatchObject({
        failure: 'status',
        stderr: expect.stringContaining('No such file') as unknown,
      });
      expect((await nftListIn(options, 'tables')).length).toBe(1);
      await nftApply('table inet tsy\ndelete table inet tsy\n', options);
      expect(await nftListIn(options, 'tables')).toEqual([]);
    }));

  test('lists in the own namespace', async () => {
    expect(Array.isArray(await nftList('tables'))).toBe(true);
  });
});
