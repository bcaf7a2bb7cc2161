import { expect, test } from 'vitest';

import { inNetns } from '../src/netns.ts';
import { RouteSnapshot } from '../src/route-snapshot.ts';
import { run } from '../src/run.ts';
import { withNetns } from './namespace.ts';

test('interfaces, addresses, default routes and gateways are seen; what is no line is not; nothing else changes', () =>
  withNetns(async (netns) => {
    const snapshot = inNetns(netns, () => new RouteSnapshot());
    const ip = (words: string): Promise<string> => run(['ip', ...words.split(' ')], { netns });
    const sees = async (words: string): Promise<boolean> => {
      await ip(words);
      const seen = snapshot.changed();
      expect(snapshot.changed()).toBe(false);
      return seen;
    };
    try {
      expect(snapshot.changed()).toBe(false);
      expect(await sees('link add wan1 type veth peer name op1')).toBe(true);
      expect(await sees('link set op1 up')).toBe(true);
      expect(await sees('link set wan1 up')).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 100));
      snapshot.changed();
      expect(await sees('addr add 10.0.1.2/24 dev wan1')).toBe(true);
      expect(await sees('-6 addr add 2001:db8::2/64 dev wan1 nodad')).toBe(true);
      expect(await sees('route add default via 10.0.1.1')).toBe(true);
      expect(await sees('route replace default via 10.0.1.3')).toBe(true);
      expect(await sees('-6 route add default via fe80::1 dev wan1')).toBe(true);
      expect(await sees('-6 route replace default via fe80::2 dev wan1')).toBe(true);
      expect(await sees('route add 192.0.2.0/24 via 10.0.1.1')).toBe(false);
      expect(await sees('route add default via 10.0.1.1 table 77')).toBe(false);
      expect(await sees('link set wan1 mtu 1492')).toBe(true);
      expect(await sees('link set op1 down')).toBe(true);
      expect(await sees('link del wan1')).toBe(true);
    } finally {
      snapshot.close();
    }
  }));
