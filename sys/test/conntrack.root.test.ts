import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { forgetFlows } from '../src/conntrack.ts';
import { inNetns } from '../src/netns.ts';
import { run } from '../src/run.ts';
import { readSysctl } from '../src/sysctl.ts';

const netns = `tsysct${process.pid}`;
const flows = (): number => Number(readSysctl('net.netfilter.nf_conntrack_count', netns));
const ping = (address: string): Promise<string> => run(['ping', '-c', '1', '-W', '1', address], { netns });

beforeAll(async () => {
  await run(['ip', 'netns', 'add', netns]);
  await run(['ip', 'link', 'set', 'lo', 'up'], { netns });
  const rules = ['1', '2']
    .map((n) => `ct direction original ip daddr 127.0.0.${n} ct mark set 0x12${n}00034`)
    .join('; ');
  const input = `table inet t { chain c { type filter hook output priority 0; ${rules}; ip6 daddr ::1 ct mark set 0x00100000; }; }`;
  await run(['nft', '-f', '-'], { netns, input });
});
afterAll(async () => {
  await run(['ip', 'netns', 'del', netns]);
});

test('flows of a mark are forgotten, of both families, and no others', async () => {
  await Promise.all(['127.0.0.1', '127.0.0.2', '127.0.0.3', '::1'].map((address) => ping(address)));
  await vi.waitFor(() => expect(flows()).toBe(4));
  inNetns(netns, () => forgetFlows(0x10_0000, 0xf0_0000, 6));
  expect(flows()).toBe(3);
  inNetns(netns, () => forgetFlows(0x20_0000, 0xf0_0000, 6));
  expect(flows()).toBe(3);
  await ping('::1');
  await vi.waitFor(() => expect(flows()).toBe(4));
  inNetns(netns, () => forgetFlows(0x10_0000, 0xf0_0000));
  expect(flows()).toBe(2);
  inNetns(netns, () => forgetFlows(0x20_0000, 0xf0_0000));
  expect(flows()).toBe(1);
  inNetns(netns, () => forgetFlows(0x30_0000, 0xf0_0000));
  expect(flows()).toBe(1);
});
