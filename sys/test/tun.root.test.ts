import { UserError } from '@tresse/kit';
import { describe, expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { READABLE } from '../src/epoll.ts';
import { EAGAIN } from '../src/errno.ts';
import { readInto, writeFrom } from '../src/file-io.ts';
import { EventLoop } from '../src/loop.ts';
import { inNetns } from '../src/netns.ts';
import { run, runJson } from '../src/run.ts';
import { nativeSlab } from '../src/slab.ts';
import { openTap, openTun, setCarrier, tunOffloads } from '../src/tun.ts';
import { withNetns } from './namespace.ts';

describe('TAP', () => {
  test('frames from one namespace to another through a loop, and the cable', () =>
    withNetns((a) =>
      withNetns(async (b) => {
        const left = inNetns(a, () => openTap('tsyl'));
        const right = inNetns(b, () => openTap('tsyr'));
        expect([left.ifname, right.ifname]).toEqual(['tsyl', 'tsyr']);
        for (const [netns, name, address] of [
          [a, 'tsyl', '10.99.0.1/24'],
          [b, 'tsyr', '10.99.0.2/24'],
        ] as const) {
          // oxlint-disable-next-line no-await-in-loop -- in order
          await run(['ip', '-batch', '-'], { netns, input: `addr add ${address} dev ${name}\nlink set ${name} up\n` });
        }
        const slab = nativeSlab(2048);
        const loop = new EventLoop();
        let frames = 0;
        for (const [from, to] of [
          [left.fd, right.fd],
          [right.fd, left.fd],
        ] as const) {
          loop.add(from, READABLE, () => {
            for (;;) {
              const count = readInto(from, slab.address, 2048);
              if (count === -EAGAIN) return;
              frames++;
              writeFrom(to, slab.address, count);
            }
          });
        }
        let answered: boolean | undefined;
        // TCP's handshake needs ARP, and two ways: refused means somebody answered.
        void run(['bash', '-c', '(: </dev/tcp/10.99.0.2/9) 2>&1 | grep -q refused'], { netns: a }).then(
          () => (answered = true),
          () => (answered = false),
        );
        const turn = async (): Promise<void> => {
          loop.turn(1);
          await new Promise((resolve) => setImmediate(resolve));
          if (answered === undefined) await turn();
        };
        await turn();
        expect(answered).toBe(true);
        expect(frames).toBeGreaterThan(3);

        const carrier = async (): Promise<unknown> =>
          (
            (await runJson(['ip', '-j', 'link', 'show', 'tsyl'], { netns: a })) as { flags: string[] }[]
          )[0]!.flags.includes('LOWER_UP');
        expect(await carrier()).toBe(true);
        setCarrier(left.fd, false);
        expect(await carrier()).toBe(false);
        setCarrier(left.fd, true);
        expect(await carrier()).toBe(true);

        closeFd(left.fd);
        closeFd(right.fd);
        loop.stop();
        loop.run();
        await expect(run(['ip', 'link', 'show', 'tsyl'], { netns: a })).rejects.toThrow(/does not exist/u);
      }),
    ));

  test('names: numbered, taken, impossible', () =>
    withNetns((name) => {
      const first = inNetns(name, () => openTap('tsy%d'));
      expect(first.ifname).toMatch(/^tsy\d+$/u);
      expect(() => inNetns(name, () => openTap(first.ifname))).toThrow(expect.objectContaining({ code: 'EBUSY' }));
      expect(() => inNetns(name, () => openTap('sixteen-letters.'))).toThrow(UserError);
      closeFd(first.fd);
    }));
});

test('TUN gives long packets, and says so; a TAP has none, nor what is no device', () =>
  withNetns((name) => {
    const tun = inNetns(name, () => openTun('tsyl'));
    const tap = inNetns(name, () => openTap('tsyp'));
    const { headerBytes, tcp } = tunOffloads(tun.fd);
    expect({ headerBytes, tcp }).toEqual({ headerBytes: 10, tcp: true });
    expect(tunOffloads(tap.fd)).toEqual({ headerBytes: 0, tcp: false, udp: false });
    closeFd(tun.fd);
    closeFd(tap.fd);
    expect(tunOffloads(1)).toEqual({ headerBytes: 0, tcp: false, udp: false });
  }));

test('TUN is a device without Ethernet', () =>
  withNetns(async (name) => {
    const tun = inNetns(name, () => openTun('tsyt'));
    const [device] = (await runJson(['ip', '-j', 'link', 'show', 'tsyt'], { netns: name })) as { link_type: string }[];
    expect(device!.link_type).toBe('none');
    closeFd(tun.fd);
  }));
