import { readlinkSync } from 'node:fs';

import { SystemError, UserError } from '@tresse/kit';
import { describe, expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { inNetns } from '../src/netns.ts';
import { run } from '../src/run.ts';
import { accept, bindAddress, connectStart, listen, localName, tcpSocket } from '../src/socket.ts';
import { readSysctl, writeSysctl } from '../src/sysctl.ts';
import { WorkerHost } from '../src/worker-host.ts';
import { eventually } from './connection.ts';
import { withNetns } from './namespace.ts';

const here = (): string => readlinkSync('/proc/thread-self/ns/net');

describe('another network namespace', () => {
  test('is entered and left, also by exceptions, nested too', () =>
    withNetns((a) =>
      withNetns((b) => {
        const home = here();
        const seen = inNetns(a, () => [here(), inNetns(b, here), here()]);
        expect(new Set([home, ...seen]).size).toBe(3);
        expect(seen[2]).toBe(seen[0]);
        expect(here()).toBe(home);
        expect(() =>
          inNetns(a, () => {
            throw new RangeError('mine');
          }),
        ).toThrow(RangeError);
        expect(here()).toBe(home);
        expect(() => inNetns(a, () => inNetns('tsy-none', here))).toThrow(SystemError);
        expect(here()).toBe(home);
        expect(() => inNetns(a, async () => {})).toThrow(expect.objectContaining({ code: 'NETNS_ASYNC' }));
        expect(here()).toBe(home);
      }),
    ));

  test('opens no descriptor for good', () =>
    withNetns(async (name) => {
      const before = await run(['sh', '-c', `ls /proc/${process.pid}/fd | wc -l`]);
      for (let i = 0; i < 50; i++) inNetns(name, here);
      expect(await run(['sh', '-c', `ls /proc/${process.pid}/fd | wc -l`])).toBe(before);
    }));

  test('a socket stays where it was made', () =>
    withNetns(async (name) => {
      await run(['ip', 'link', 'set', 'lo', 'up'], { netns: name });
      const [listener, client] = inNetns(name, () => [tcpSocket(4), tcpSocket(4)] as const);
      bindAddress(listener, '127.0.0.1', 7443);
      listen(listener, 4);
      connectStart(client, '127.0.0.1', 7443);
      const far = await eventually(() => accept(listener));
      expect(localName(far).port).toBe(7443);
      expect(await run(['ss', '-Htln'], { netns: name })).toContain('127.0.0.1:7443');
      for (const fd of [listener, client, far]) closeFd(fd);
    }));

  test.each(['', '../../etc/passwd', 'a/b', '.', '..', 'a b'])('refuses the name "%s"', (name) => {
    expect(() => inNetns(name, here)).toThrow(UserError);
  });

  test('has settings of its own', () =>
    withNetns((name) => {
      const home = readSysctl('net.ipv4.conf.all.rp_filter');
      writeSysctl('net.ipv4.conf.all.rp_filter', 2, name);
      expect(readSysctl('net.ipv4.conf.all.rp_filter', name)).toBe('2');
      expect(readSysctl('net.ipv4.conf.all.rp_filter')).toBe(home);
      expect(() => writeSysctl('net.ipv4.conf.all.rp_filter', 'x', name)).toThrow(
        expect.objectContaining({ code: 'SYSCTL' }),
      );
    }));

  test('a worker lives in one while the main thread stays at home', () =>
    withNetns(async (name) => {
      const home = here();
      const url = new URL('./workers/dweller.ts', import.meta.url);
      const lives = await new Promise<string>((resolve, reject) => {
        const host = new WorkerHost<never, string, string>(url, name, {
          onMessage: (message) => void host.stop().then(() => resolve(message)),
          onFault: (fault) => void host.stop().then(() => reject(new Error(fault.stack))),
        });
      });
      expect(lives).toBe(inNetns(name, here));
      expect(here()).toBe(home);
    }));
});
