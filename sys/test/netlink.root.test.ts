import { expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { READABLE } from '../src/epoll.ts';
import { EventLoop } from '../src/loop.ts';
import { drainEvents, openFirewallMonitor, openRouteMonitor, readRouteEvents } from '../src/netlink.ts';
import { inNetns } from '../src/netns.ts';
import { run } from '../src/run.ts';
import { openTap, setCarrier } from '../src/tun.ts';
import { withNetns } from './namespace.ts';

test('interfaces, carrier, addresses and routes are told through the loop', () =>
  withNetns(async (netns) => {
    const tap = inNetns(netns, () => openTap('tsyn'));
    const monitor = inNetns(netns, openRouteMonitor);
    const loop = new EventLoop();
    const up = new Map<string, boolean>();
    let others = 0;
    loop.add(monitor, READABLE, () => {
      readRouteEvents(monitor, {
        onLink: (ifindex, ifname, isUp) => {
          expect(ifindex).toBeGreaterThan(0);
          up.set(ifname, isUp);
        },
        onOther: () => others++,
      });
    });
    const until = (holds: () => boolean): void => {
      for (let i = 0; i < 50 && !holds(); i++) loop.turn(100);
      expect(holds()).toBe(true);
    };

    // All that is there at the start.
    until(() => up.has('lo') && up.has('tsyn'));
    expect([...up.values()]).toEqual([false, false]);
    await run(['ip', 'link', 'set', 'tsyn', 'up'], { netns });
    until(() => up.get('tsyn') === true);
    setCarrier(tap.fd, false);
    until(() => up.get('tsyn') === false);
    setCarrier(tap.fd, true);
    until(() => up.get('tsyn') === true);
    loop.turn(100);

    others = 0;
    await run(['ip', 'addr', 'add', '10.97.0.1/24', 'dev', 'tsyn'], { netns });
    until(() => others > 0);
    loop.turn(100);
    others = 0;
    await run(['ip', 'route', 'add', '10.96.0.0/24', 'via', '10.97.0.9'], { netns });
    until(() => others > 0);

    closeFd(tap.fd);
    until(() => up.get('tsyn') === false);
    loop.remove(monitor);
    closeFd(monitor);
    loop.stop();
    loop.run();
  }));

test('changed firewall rules are told', () =>
  withNetns(async (netns) => {
    const monitor = inNetns(netns, openFirewallMonitor);
    expect(drainEvents(monitor)).toBe(false);
    await run(['nft', 'add table inet tsyn'], { netns });
    expect(drainEvents(monitor)).toBe(true);
    await run(['nft', 'list ruleset'], { netns });
    expect(drainEvents(monitor)).toBe(false);
    await run(['nft', 'flush ruleset'], { netns });
    expect(drainEvents(monitor)).toBe(true);
    closeFd(monitor);
  }));
