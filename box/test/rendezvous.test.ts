import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureIdentity, type Identity, makeLog, openStateDirectory, Reception } from '@tresse/daemon';
import { accept, bindAddress, closeFd, listen, localName, setReuseAddress, tcpSocket } from '@tresse/sys';
import { afterEach, expect, test, vi } from 'vitest';

import { Rendezvous, type Rendezvoyeur, staggered } from '../src/rendezvous.ts';
import { config, uplinks } from './fakes.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

async function identity(): Promise<Identity> {
  const folder = mkdtempSync(join(tmpdir(), 'tresse-box-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return ensureIdentity(openStateDirectory(folder), 'test');
}

const hello = {
  limits: { streams: 10, initialCredit: 16_384, frames: [0] },
  ciphers: ['aes-256-gcm' as const],
  software: 'test',
};

/** A relay's reception on a port of loopback. */
function relay(own: Identity, known: string, port = 0): number {
  const reception = new Reception(
    own,
    {
      welcome: (pin) => (pin === known ? { name: 'box' } : { refused: 'unknown-box' }),
      pair: () => ({ refused: 'token-wrong' }),
      terms: () => ({ ...hello, incarnation: 'cd'.repeat(16), generation: 1 }),
      admit: () => Promise.resolve(undefined),
    },
    makeLog('error', () => {}),
  );
  const listener = tcpSocket(4);
  setReuseAddress(listener);
  bindAddress(listener, '0.0.0.0', port);
  listen(listener, 16);
  const timer = setInterval(() => {
    for (let fd = accept(listener); fd >= 0; fd = accept(listener)) reception.adopt(fd, { address: '', port: 0 });
  }, 2);
  ends.push(() => {
    clearInterval(timer);
    closeFd(listener);
    reception.close();
  });
  return localName(listener).port;
}

/** A rendezvous of a box whose lines are addresses of loopback. */
function box(own: Identity, relayPin: string, port: number, lines = uplinks({ a: '127.0.0.2', b: '127.0.0.3' })) {
  const base = config(['a', 'b']);
  const agreed: string[] = [];
  const out: string[] = [];
  const needs: Rendezvoyeur = {
    uplinks: () => lines,
    offer: () => ({ ...hello, incarnation: 'ab'.repeat(16) }),
    agreed: (_, uplink) => {
      agreed.push(uplink);
      return Promise.resolve();
    },
    putOut: (sentence) => out.push(sentence),
  };
  const log: string[] = [];
  const rendezvous = new Rendezvous(
    { ...base, relay: { addresses: ['127.0.0.1'], port, pin: relayPin } },
    own,
    needs,
    makeLog('debug', (line) => log.push(line)),
  );
  ends.push(() => rendezvous.stop());
  return { rendezvous, agreed, out, log };
}

test('the first line that answers wins, and one handshake is one handshake', async () => {
  const [own, theirs] = [await identity(), await identity()];
  const { rendezvous, agreed } = box(own, theirs.pin, relay(theirs, own.pin));
  rendezvous.want('start');
  rendezvous.want('again');
  await vi.waitFor(() => expect(rendezvous.pending).toBe(false));
  expect(agreed).toEqual(['a']);
  expect(rendezvous.faultOf('a')).toBeUndefined();
});

test('a handshake that is wanted calmly is wanted urgently as soon as something is amiss', async () => {
  const [own, theirs] = [await identity(), await identity()];
  const lines = uplinks({ a: '203.0.113.99', b: '127.0.0.3' });
  const { rendezvous, agreed, log } = box(own, theirs.pin, relay(theirs, own.pin), lines);
  rendezvous.want('keys are due', 'calm');
  rendezvous.want('keys are due again', 'calm');
  await vi.waitFor(() => expect(rendezvous.faultOf('a')).toBeDefined());
  rendezvous.want('the relay refuses our key');
  rendezvous.want('and again');
  await vi.waitFor(() => expect(agreed).toEqual(['b']), { timeout: 5_000 });
  const reasons = log
    .filter((line) => line.includes('a handshake is wanted'))
    .map((line) => line.match(/reason="(.*)"/u)?.[1]);
  expect(reasons).toEqual(['keys are due', 'the relay refuses our key']);
});

test('a line that leads nowhere does not hold up the other, and says why it failed', async () => {
  const [own, theirs] = [await identity(), await identity()];
  const lines = uplinks({ a: '203.0.113.99', b: '127.0.0.3' });
  const { rendezvous, agreed } = box(own, theirs.pin, relay(theirs, own.pin), lines);
  rendezvous.want('start');
  await vi.waitFor(() => expect(agreed).toEqual(['b']), { timeout: 5_000 });
  expect(rendezvous.faultOf('a')).toBe('this machine does not have 203.0.113.99');
  expect(rendezvous.faultOf('b')).toBeUndefined();
});

test('attempts begin so that no dead address and no dead line holds up a living one', () => {
  const [a, b] = uplinks({ a: '10.0.1.2', b: '10.0.2.2' });
  const targets = [a!, b!].flatMap((uplink) => ['one', 'two', 'three'].map((address) => ({ uplink, address })));
  const calm = staggered(targets, 2_000).map(({ afterMs }) => afterMs);
  expect(calm).toEqual(staggered(targets).map(({ afterMs }) => afterMs * 8));
  const times = staggered(targets).map(({ uplink, address, afterMs }) => `${uplink.name} ${address} ${afterMs}`);
  expect(times).toEqual(['a one 0', 'b two 250', 'a three 250', 'a two 500', 'b one 750', 'b three 1000']);
  expect(
    staggered([
      { uplink: a!, address: 'one' },
      { uplink: b!, address: 'one' },
    ]).map((t) => t.afterMs),
  ).toEqual([0, 250]);
  expect(staggered([])).toEqual([]);
});

test('it tries until the relay is there, and tells what was wrong once', async () => {
  const [own, theirs] = [await identity(), await identity()];
  const holder = createServer();
  await new Promise<void>((resolve) => {
    holder.listen(0, '127.0.0.1', resolve);
  });
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  const { rendezvous, agreed, log } = box(own, theirs.pin, port);
  rendezvous.want('start');
  await vi.waitFor(() => expect(rendezvous.faultOf('b')).toContain('refuses the connection'));
  expect(rendezvous.pending).toBe(true);
  relay(theirs, own.pin, port);
  rendezvous.hurry();
  await vi.waitFor(() => expect(agreed).toHaveLength(1), { timeout: 5_000 });
  expect(log.filter((line) => line.includes('level=warn') && line.includes('uplink=a'))).toHaveLength(1);
});

test('a relay that does not know the box is a reason on every line', async () => {
  const [own, theirs, other] = [await identity(), await identity(), await identity()];
  const { rendezvous, agreed, out } = box(own, theirs.pin, relay(theirs, other.pin));
  rendezvous.want('start');
  await vi.waitFor(() => expect(rendezvous.faultOf('b')).toContain('the relay does not know this box'));
  expect(rendezvous.faultOf('a')).toContain('the relay does not know this box');
  expect(agreed).toEqual([]);
  expect(out[0]).toContain('the relay does not know this box');
  await rendezvous.stop();
  expect(rendezvous.pending).toBe(false);
});
