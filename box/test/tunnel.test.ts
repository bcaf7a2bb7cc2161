import { makeLog } from '@tresse/daemon';
import { SystemError } from '@tresse/kit';
import type { TunnelMessage } from '@tresse/schema';
import { beforeEach, expect, test } from 'vitest';

import { Tunnel } from '../src/tunnel.ts';

const told: TunnelMessage = { kind: 'tunnel', ipv4: '100.127.0.2', ipv6: 'fd00::2', mtu: 1_413 };
const silentLog = makeLog('error', () => {});

let configured: unknown[];
let forgotten: number;
let tunnel: Tunnel;

beforeEach(() => {
  configured = [];
  forgotten = 0;
  const device = {
    fd: 7,
    configure: async (how: unknown) => {
      await Promise.resolve();
      configured.push(how);
    },
    close: () => {},
  };
  tunnel = new Tunnel(
    silentLog,
    () => forgotten++,
    () => device,
  );
  tunnel.open();
});

test('packets wait until it is known whether they get through, and the addresses are there', async () => {
  expect([tunnel.fd, tunnel.state]).toEqual([7, 'waiting']);
  tunnel.noteCarried(true);
  expect(tunnel.state).toBe('waiting');
  await tunnel.noteAddresses(told);
  expect(configured).toEqual([{ addresses: ['100.127.0.2/32', 'fd00::2/128'], mtu: 1_413 }]);
  expect(tunnel.state).toEqual({ 4: true, 6: true });
  expect(tunnel.wordOf(true)).toBe('waiting');
  tunnel.settle(tunnel.state);
  expect(tunnel.wordOf(true)).toBe('carries');
  expect(tunnel.wordOf(false)).toBe('none');
  expect(tunnel.warning(true)).toBeUndefined();
});

test('a relay that only says what comes after the addresses has no tunnel', () => {
  tunnel.noteCarried(true);
  expect(tunnel.noteHeardOut()).toBe(true);
  expect(tunnel.noteHeardOut()).toBe(false);
  expect(tunnel.state).toBe('none');
  expect(tunnel.warning(true)).toBeUndefined();
});

test('while nothing gets through it says so, and flows are forgotten once when the tunnel is no longer used', async () => {
  await tunnel.noteAddresses({ ...told, ipv6: undefined });
  tunnel.noteCarried(true);
  tunnel.settle(tunnel.state);
  tunnel.noteCarried(false);
  expect(tunnel.state).toBe('none');
  expect(tunnel.warning(true)).toContain('is its UDP port open?');
  expect(tunnel.warning(false)).toBeUndefined();
  expect(forgotten).toBe(0);
  tunnel.settle(tunnel.state);
  tunnel.settle(tunnel.state);
  expect(forgotten).toBe(1);
  tunnel.noteCarried(true);
  expect(tunnel.state).toEqual({ 4: true, 6: false });
});

test('in another session the addresses of the one before hold until the relay has been heard out', async () => {
  await tunnel.noteAddresses(told);
  tunnel.noteCarried(true);
  tunnel.noteCarried(false);
  expect(tunnel.warning(true)).toContain('is its UDP port open?');
  tunnel.begin();
  expect(tunnel.warning(true)).toBeUndefined();
  tunnel.noteCarried(true);
  expect(tunnel.state).toEqual({ 4: true, 6: true });
  expect(tunnel.noteHeardOut()).toBe(true);
  expect(tunnel.state).toBe('none');
});

test('without a device there is no tunnel, and a sentence why', () => {
  const without = new Tunnel(
    silentLog,
    () => {},
    () => {
      throw new SystemError('TUN', 'there can be no device tresse0 for packets: no /dev/net/tun');
    },
  );
  without.open();
  without.noteCarried(true);
  expect([without.fd, without.state]).toEqual([undefined, 'none']);
  expect(without.warning(true)).toContain('no /dev/net/tun');
});
