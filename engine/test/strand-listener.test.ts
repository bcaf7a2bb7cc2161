import { type Opening, openingAadBytes, openingBytes, openingTextBytes, StrandRole, writeOpening } from '@tresse/core';
import { bestAead, closeFd, closeWithReset, EventLoop, localName, nativeSlab, randomBytes } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { strandKeys } from '../src/worker/strand-keys.ts';
import { type ListenerOwner, type RelayKid, StrandListener } from '../src/worker/strand-listener.ts';
import { finish, Peer, socketCount, until } from './peer.ts';

const aead = bestAead('aes-256-gcm');
const kid = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const secret = new Uint8Array(32).fill(5);

class Owner implements ListenerOwner {
  readonly own: RelayKid = { secret, aead, salts: new Set() };
  readonly openings: Opening[] = [];
  readonly tls: { fd: number; remote: { address: string; port: number } }[] = [];

  kid(hex: string): RelayKid | undefined {
    return hex === '0102030405060708' ? this.own : undefined;
  }

  onTls(fd: number, remote: { address: string; port: number }): void {
    loop.remove(fd);
    this.tls.push({ fd, remote });
  }

  onOpening(fd: number, _kid: string, _keys: unknown, read: Opening): void {
    this.openings.push(read);
    closeWithReset(fd);
  }
}

/** An opening as a box makes it. */
function made(o: Partial<Opening> = {}, ofKid = kid, ofSecret = secret): Buffer {
  const slab = nativeSlab(openingBytes);
  const salt = randomBytes(16);
  writeOpening(slab.bytes, 0, ofKid, salt, { strand: 1, path: 1, role: StrandRole.quick, ...o });
  aead.seal(strandKeys(aead, ofSecret, salt).up, 0, slab, 0, openingAadBytes, openingAadBytes, openingTextBytes);
  return Buffer.from(slab.bytes);
}

let loop: EventLoop;
let owner: Owner;
let listener: StrandListener;
let listenerFd: number;
let port: number;
let before: number;
let peers: Peer[];

beforeEach(() => {
  before = socketCount();
  loop = new EventLoop();
  owner = new Owner();
  listener = new StrandListener(loop, owner);
  peers = [];
  listenerFd = listener.listen('127.0.0.1', 0);
  ({ port } = localName(listenerFd));
});

afterEach(() => {
  for (const peer of peers) peer.close();
  for (const { fd } of owner.tls) closeFd(fd);
  until(loop, () => listener.undecided === 0, 'nobody undecided');
  loop.remove(listenerFd);
  closeFd(listenerFd);
  finish(loop);
  expect(socketCount()).toBe(before);
});

function visitor(): Peer {
  const one = Peer.connect(loop, port);
  peers.push(one);
  return one;
}

/** Sends, and waits for the reset. */
function refused(bytes: Uint8Array): void {
  const one = visitor().send(bytes);
  until(loop, () => one.over, 'the reset');
  expect(one.failed).toBeGreaterThan(0);
  expect(one.heardBytes).toBe(0);
}

test('an opening is handed on with its numbers', () => {
  visitor().send(made({ strand: 7, path: 255, role: StrandRole.bulk }));
  until(loop, () => owner.openings.length === 1, 'the opening');
  expect(owner.openings).toEqual([{ strand: 7, path: 255, role: StrandRole.bulk }]);
  expect(owner.own.salts.size).toBe(1);
});

test('an opening that comes byte by byte', () => {
  const one = visitor();
  for (const byte of made()) {
    one.send(Uint8Array.of(byte));
    loop.turn(0);
  }
  until(loop, () => owner.openings.length === 1, 'the opening');
});

test('a TLS handshake is handed over with nothing read', () => {
  visitor().send('\u0016\u0003\u0001 hello');
  until(loop, () => owner.tls.length === 1, 'the handshake');
  const [{ fd, remote }] = owner.tls as [{ fd: number; remote: { address: string; port: number } }];
  expect(remote.address).toBe('127.0.0.1');
  owner.tls.length = 0;
  const taken = new Peer(loop, fd);
  until(loop, () => taken.heardBytes > 0, 'the first bytes');
  expect(taken.text).toBe('\u0016\u0003\u0001 hello');
  taken.close();
  expect(listener.counters.handshakes).toBe(1);
});

test('strangers are reset at their first byte', () => {
  refused(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  refused(Uint8Array.of(0));
  refused(Uint8Array.of(255));
  expect(listener.counters.strangers).toBe(3);
  expect(owner.openings).toHaveLength(0);
});

test('an unknown key, a forged tag, impossible numbers and a replay are reset and counted apart', () => {
  refused(made({}, Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)));
  refused(made({}, kid, new Uint8Array(32).fill(6)));
  const forged = made();
  forged[forged.length - 1]! ^= 0x80;
  refused(forged);
  expect(owner.own.salts.size).toBe(0);
  refused(made({ strand: 0 }));
  refused(made({ path: 0 }));
  refused(made({ role: 4 as never }));
  const good = made();
  visitor().send(good);
  until(loop, () => owner.openings.length === 1, 'the good one');
  refused(good);
  expect(listener.counters).toMatchObject({
    openingsUnknown: 1,
    openingsForged: 2,
    openingsReplayed: 1,
    openingsImpossible: 3,
  });
  expect(owner.openings).toHaveLength(1);
});

test('a key has an end of openings', () => {
  for (let i = 0; i < 4_096; i++) owner.own.salts.add(String(i));
  refused(made());
  expect(owner.own.salts.size).toBe(4_096);
});

test('who goes away before a decision leaves nothing behind', () => {
  for (const bytes of [[], [0x54], [0x54, 1, 2, 3]]) {
    const gone = visitor().send(Uint8Array.from(bytes));
    until(loop, () => gone.waitingBytes === 0 && listener.undecided > 0, 'a visitor');
    gone.reset();
    until(loop, () => listener.undecided === 0, 'nobody');
    const leaving = visitor().send(Uint8Array.from(bytes)).end();
    until(loop, () => leaving.over, 'the answer to its end');
  }
  expect(owner.openings).toHaveLength(0);
});

test('silent peers are dropped after a while, not before', () => {
  const silent = [visitor(), visitor().send(made().subarray(0, 48))];
  until(loop, () => listener.undecided === 2, 'two who say nothing');
  listener.sweep(loop.nowMs + 4_000);
  expect(listener.undecided).toBe(2);
  listener.sweep(loop.nowMs + 6_000);
  expect(listener.undecided).toBe(0);
  until(loop, () => silent.every((one) => one.over), 'their resets');
  expect(listener.counters.silent).toBe(2);
});

test('of a crowd that says nothing the oldest go, and a box still gets in', () => {
  const crowd = Array.from({ length: 300 }, () => visitor());
  until(loop, () => listener.counters.accepted === 300, 'the crowd');
  expect(listener.undecided).toBe(256);
  expect(listener.counters.crowdedOut).toBe(44);
  until(loop, () => crowd.filter((one) => one.over).length === 44, 'resets');
  visitor().send(made());
  until(loop, () => owner.openings.length === 1, 'the box');
});

test('a taken port is an error with a sentence, and costs no descriptor', () => {
  const sockets = socketCount();
  expect(() => listener.listen('127.0.0.1', port)).toThrow(/EADDRINUSE/u);
  expect(socketCount()).toBe(sockets);
});

test('one source has no more handshakes than its allowance; the rest is reset and counted', () => {
  const crowd = Array.from({ length: 80 }, () => visitor().send('\u0016\u0003\u0001'));
  until(loop, () => listener.counters.handshakes === 80, 'all of them');
  expect(owner.tls.length).toBeGreaterThanOrEqual(64);
  expect(owner.tls.length + listener.counters.handshakesRefused).toBe(80);
  until(loop, () => crowd.filter((one) => one.over).length === listener.counters.handshakesRefused, 'the resets');
});

/** A listener of the second of two workers, to whom every second kid belongs. */
function second(): { port: number; foreign: { fd: number; worker: number }[]; end: () => void } {
  const foreign: { fd: number; worker: number }[] = [];
  const of = Object.assign(owner, {
    onForeign: (fd: number, worker: number) => {
      loop.remove(fd);
      foreign.push({ fd, worker });
    },
  });
  const other = new StrandListener(loop, of, 1, 2);
  const fd = other.listen('127.0.0.1', 0);
  return {
    port: localName(fd).port,
    foreign,
    end: () => {
      for (const one of foreign) closeFd(one.fd);
      until(loop, () => other.undecided === 0, 'nobody undecided there');
      loop.remove(fd);
      closeFd(fd);
    },
  };
}

test('of several workers each takes its own kids and hands the others on untouched', () => {
  const worker = second();
  const at = (bytes: Uint8Array): Peer => {
    const one = Peer.connect(loop, worker.port).send(bytes);
    peers.push(one);
    return one;
  };
  const counts = Array.from({ length: 16 }, (_, i) => {
    at(made({}, Uint8Array.of(i, i, i, i, i, i, i, i)));
    return i;
  });
  at(Buffer.from('GET /'));
  // Nine bytes tell whose it is. Who sends fewer, and goes or drips, is not waited for.
  const few = at(made().subarray(0, 5));
  const gone = at(made().subarray(0, 3)).end();
  until(loop, () => peers.filter((one) => one.over).length + worker.foreign.length >= counts.length + 2, 'all judged');
  for (const { worker: index } of worker.foreign) expect(index).toBe(0);
  expect(worker.foreign.length).toBeGreaterThan(0);
  expect(worker.foreign.length).toBeLessThan(counts.length);
  few.send(Uint8Array.of(1));
  few.send(Uint8Array.of(2));
  few.reset();
  until(loop, () => gone.over, 'the one who left');
  worker.end();
});
